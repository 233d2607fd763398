#pragma once

#include "bitplan/search.h"
#include "monitor.h"

namespace bitplan::search {

// Of problems without rules, prices and joint terms, of which every budget can be met alone.

/// The greedy plan, with the bound of the relaxation.
Solution SolveGreedily(const Problem& problem, const SearchOptions& options, Monitor& monitor);

/// The best plan within the gap.
Solution SolveExactly(const Problem& problem, const SearchOptions& options, Monitor& monitor);

}  // namespace bitplan::search
