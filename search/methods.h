#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bitplan/search.h"
#include "search/warm_start.h"

namespace bitplan::search {

/// The methods of this room, in the order in which texts list them.
std::vector<std::shared_ptr<const SearchAlgorithm>> OwnMethods();

/// By the convex method; `problem` and `options` are valid.
Solution SolveConvexly(const Problem& problem, const std::optional<WarmStart>& start, const SearchOptions& options);

}  // namespace bitplan::search
