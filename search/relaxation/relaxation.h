#pragma once

#include <vector>

#include "core/subproblem.h"
#include "monitor.h"

namespace bitplan::search {

/// The linear programming relaxation of a subproblem, which takes shares of choices: with the columns' losses f and
/// costs c,
///
///     min Σ f x   over x ≥ 0, Σ_{columns of a group} x = 1 for each group, Σ c x ≤ rest for each budget,
///
/// which is also the best Lagrangian bound  max_{λ ≥ 0} Σ_groups min_{columns} (f + λ c) − λ rest  (Geoffrion 1974).
/// For Goal::PeakUse a column t ≥ 0 of loss 1 joins: min t with Σ c x ≤ t · limits; λ then obeys λ · limits ≤ 1.

/// A basic column beside the one column that each group has: a slack (or t), or a second column of a group.
struct BasisEntry {
  bool extra = false;  ///< a slack or t
  Index at = 0;        ///< extra: budget of the slack, or budgets() for t; else column of the core
  Index key = 0;       ///< the group's other basic column, of the core
};
using Basis = std::vector<BasisEntry>;  ///< one entry a budget; empty: unknown

/// A column that is taken in part.
struct Share {
  Index column = 0;  ///< of the core
  double value = 0;  ///< strictly between 0 and 1
};

struct Relaxation {
  bool infeasible = false;  ///< proven: no x, so that `bound` is infinite and the rest empty
  double bound = 0;         ///< on every plan in the subproblem, settled loss included; valid whatever the rounding
  std::vector<double> multipliers;  ///< λ
  std::vector<double>
      reduced_loss;            ///< per column: the bound rises by at least this when the column must be taken; ≥ 0
  std::vector<Index> leading;  ///< per free group: the column, of the core, with the largest share
  std::vector<Share> split;    ///< of the groups that take several columns, sorted by column
  Basis basis;
};

/// Solves the relaxation by the dual simplex method with generalized upper bounds (Dantzig and Van Slyke 1967), from
/// `start` when it is given, which may come from a subproblem that has this one's columns and more. Stops early, with a
/// bound that holds all the same, as soon as the bound reaches `cutoff` or the time is up.
Relaxation SolveRelaxation(const Core& core, const Subproblem& part, const Basis& start, double cutoff,
                           Monitor& monitor);

}  // namespace bitplan::search
