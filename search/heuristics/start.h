#pragma once

#include <cstdint>
#include <optional>

#include "bitplan/search.h"
#include "heuristics/incumbent.h"
#include "tree/branch_and_bound.h"

namespace bitplan::search {

/// A plan to start from, or what is known when there is none.
struct Start {
  Incumbent plan;
  std::int64_t nodes = 0;
  std::optional<Solution> without;
};

/// From the greedy search, or where that finds none from a search for any plan within the budgets. `root`: of `core`,
/// the core of `problem`; `bound`: on its plans.
Start FindStart(const Problem& problem, const Core& core, const Node& root, double bound, Monitor& monitor);

}  // namespace bitplan::search
