#pragma once

#include <optional>
#include <vector>

#include "search/core.h"

namespace bitplan::search {

/// A part of a core: every group with some of its columns. Groups with one column left are settled; the others are
/// free.
struct Subproblem {
  std::vector<double> rest;  ///< per budget: right-hand side of the free groups, the limit less what settled groups
                             ///< spend (for Goal::PeakUse, where limits scale with the peak: 0 less that)
  std::vector<double> settled_cost;  ///< per budget: what settled groups spend
  double settled_loss = 0;
  CorePlan settled;               ///< per core group its column when settled, else kFree
  std::vector<Index> free_group;  ///< core group of each free group
  std::vector<Index> first;       ///< free groups + 1
  std::vector<Index> column;      ///< core column of each column here
  std::vector<double> loss;       ///< per column
  std::vector<double> cost;       ///< [budget, column]

  static constexpr Index kFree = ~Index{0};
  std::size_t groups() const { return free_group.size(); }
  std::size_t columns() const { return column.size(); }
};

/// Splits a group's columns in two by one of their figures.
struct Branch {
  Index group = 0;   ///< of the core
  Index figure = 0;  ///< 0: loss, 1 + i: cost of budget i
  double threshold = 0;
  bool below = false;  ///< keeps figures ≤ threshold, else those above it

  double Figure(const Core& core, Index column) const {
    return figure == 0 ? core.loss[column] : core.Cost(figure - 1, column);
  }
  bool Keeps(const Core& core, Index column) const { return (Figure(core, column) <= threshold) == below; }
};

/// The whole core.
Subproblem WholeOf(const Core& core);

/// The columns of `part` that are marked in `keep`, one mark a column; nothing when a group loses all of its columns.
std::optional<Subproblem> Restrict(const Core& core, const Subproblem& part, const std::vector<char>& keep);

/// One side of `branch`; nothing when no column is there.
std::optional<Subproblem> Restrict(const Core& core, const Subproblem& part, const Branch& branch);

}  // namespace bitplan::search
