#pragma once

#include <optional>

#include "bitplan/search.h"
#include "joint/joint_search.h"
#include "monitor.h"
#include "search/warm_start.h"

namespace bitplan::search {

/// Solves what is left of a problem once rules are linked and prices charged, of which every budget can be met alone.
/// The problem's own joint term plays no part: `joint` does.
using LinkedSolver = Solution (*)(const Problem& problem, const std::optional<Joint>& joint,
                                  const SearchOptions& options, Monitor& monitor);

/// Links what rules link, has that solved, and tells the answer in terms of `problem`, which is valid and, with a plan
/// to start from, has a joint term. The solution's method and time are the caller's.
Solution SolveLinked(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options,
                     LinkedSolver solve, Monitor& monitor);

}  // namespace bitplan::search
