#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/subproblem.h"

namespace bitplan::search {

/// A number for each column: the same where all costs are, from 0 on by first budget, second, ….
std::vector<Index> NumberCosts(const Core& core);

/// Columns of different groups that cost the same in every budget can be swapped: if group j takes c₂ and group k takes
/// c₁, the plan in which j has the column that costs what c₁ does, and k the one that costs what c₂ does, spends the
/// same. Where that is never dearer, j need not take c₂ as long as k is held to such c₁. So layers of one size get
/// their widths in one order, and a tree branches on how many of them get a width instead of on which ones do.
///
/// Losses are compared as multiples of 2⁻⁵² of the largest; of equal plans the first in the order of groups and columns
/// stays. That orders all plans, so that a best one (to rounding) is never left out.
class Swaps {
 public:
  explicit Swaps(const Core& core);

  /// Whether any group can swap with `group`.
  bool Concern(Index group) const { return twins_[kind_[group]].size() > 1; }

  /// `part` without what no best plan takes as long as `group` is held to the columns that it has there; nothing when
  /// some group has no column left.
  std::optional<Subproblem> Restrict(const Core& core, const Subproblem& part, Index group) const;

 private:
  using Loss = std::int64_t;
  static constexpr Index kNone = ~Index{0};

  const Index* ColumnsOf(Index group) const { return &column_[first_[group]]; }
  bool NeedsNot(Index j, Index second, Index k, const std::vector<Index>& held) const;

  std::vector<Index> kind_;                // per group; groups of a kind share costs
  std::vector<std::vector<Index>> twins_;  // per kind, its groups
  std::vector<Index> cost_of_;             // per column: number of its costs among those of the kind
  std::vector<std::size_t> first_;         // per group: where its rows in `column_` begin
  std::vector<Index> column_;              // per group and costs of its kind: the column, or kNone
  std::vector<Loss> loss_;                 // per column
};

}  // namespace bitplan::search
