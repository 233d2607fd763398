#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bitplan/search.h"

namespace bitplan::search {

/// Where the search of a problem with a joint term begins, and how much it may take.
struct WarmStart {
  std::vector<std::size_t> plan;  ///< one choice for each group, within budgets and rules
  std::int64_t most_nodes = 1;    ///< of the tree, ≥ 1; a limit on work, and so the same on every machine
};

/// As Search by the method convex, from a plan that is near the best: local search from there, then the tree. Throws
/// Error as Search does, and when the problem has no joint term or the plan is not one of its plans.
Solution SearchFrom(const Problem& problem, const WarmStart& start, const SearchOptions& options);

}  // namespace bitplan::search
