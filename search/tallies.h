#pragma once

#include <array>
#include <optional>
#include <vector>

#include "search/shrunk_core.h"

namespace bitplan::search {

/// A sum of whole numbers over some groups that are alike in one budget, such as layers of one size, or in the loss:
/// the rank of the column that each takes, by its cost or loss. The relaxation, which takes shares, gives it any value;
/// plans a whole one. To branch on it tells how much of the budget such groups get together, which single groups do not
/// tell as long as the others can make up for them.
struct Tally {
  bool of_loss = false;  ///< and not of a cost
  Index at_most = 0;   ///< row of the core for Σ rank ≤ …
  Index at_least = 0;  ///< row for Σ (highest − rank) ≤ …
  double unit = 1;     ///< of both rows
  double highest = 0;  ///< Σ of the groups' highest ranks
};

enum class TalliesOf { Costs, CostsAndLosses };

/// Adds rows to the core and root of `part`, which is what is left of `whole`: budgets that nothing exceeds until a
/// branch lowers them. Costs count as equal, and get one rank, where no more than the noise of measured ones is between
/// them. There are no rows for groups that cost exactly the same in all budgets, which Swaps does better.
std::vector<Tally> AddTallies(const Core& whole, ShrunkCore& part, TalliesOf of);

/// The two sides of a branch at the value that `node` has of `tally`; nothing when that is whole.
struct TallySides {
  std::optional<Subproblem> below, above;
};
TallySides Divide(const Core& core, const Node& node, const Tally& tally);

}  // namespace bitplan::search
