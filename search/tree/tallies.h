#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tree/reduced_core.h"

namespace bitplan::search {

/// A sum of whole numbers over some groups that are alike in one figure, a budget or the loss, such as layers of one
/// size. The relaxation, which takes shares, gives it any value; plans a whole one. To branch on it tells what such
/// groups get together, which single groups do not tell as long as the others can make up for them.
struct Tally {
  Index at_most = 0;   ///< row of the core for Σ number ≤ …
  Index at_least = 0;  ///< row for Σ (highest − number) ≤ …
  double unit = 1;     ///< of both rows
  double highest = 0;  ///< Σ of the groups' highest numbers
};

/// What is summed.
enum class TalliesOf {
  Ranks,      ///< the ranks of the columns taken among the costs of a budget: how much of it the groups get
  Counts,     ///< 1 for a column of at least some rank, in a budget or in the loss: how many groups get at least that.
              ///< Where losses are equal but for ties, all counts together tell the loss of a plan, and leave only the
              ///< question which groups get what, to be settled by what is measured.
  Surpluses,  ///< how many steps losses lie above a line of costs (surpluses.h): with costs that are all different, but
              ///< a fixed charge here and there, plans at the budget differ by those alone.
};

/// Adds rows to the core and root of `part`, which is what is left of `whole`: budgets that nothing exceeds until a
/// branch lowers them. Figures count as equal, and get one rank, where no more than the noise of measured ones is
/// between them. There are no rows for groups that cost exactly the same in all budgets, which Swaps does better.
std::vector<Tally> AddTallies(const Core& whole, ReducedCore& part, TalliesOf of);

/// The two sides of a branch on a tally.
struct TallySides {
  Subproblem below, above;
};

/// At the value that `node` has of `tally`; nothing when that is whole.
std::optional<TallySides> Divide(const Core& core, const Node& node, const Tally& tally);

/// Where the value is whole: branches with that value and what is on one side of it in `below`, what is beyond on the
/// other side in `above`. None where the tally is held to the value.
std::vector<TallySides> DivideBeside(const Core& core, const Node& node, const Tally& tally);

}  // namespace bitplan::search
