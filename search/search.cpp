#include "bitplan/search.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "bitplan/error.h"
#include "methods.h"
#include "search/warm_start.h"

namespace bitplan {

void SearchOptions::Validate() const { Limits().Validate(); }

void SearchLimits::Validate() const {
  if (!std::isfinite(gap) || gap < 0) throw Error(fmt::format("gap is {}, must be a finite number of at least 0", gap));
  if (!(time_limit_seconds > 0))
    throw Error(fmt::format("time_limit_seconds is {}, must be above 0", time_limit_seconds));
}

Solution Search(const Problem& problem, const SearchOptions& options) {
  return SearchRegistry().Solve(problem, options);
}

}  // namespace bitplan

namespace bitplan::search {

Solution SearchFrom(const Problem& problem, const WarmStart& start, const SearchOptions& options) {
  if (!problem.joint) throw Error("a search begins from a plan only where the problem has a joint term");
  ObjectiveOf(problem, start.plan);  // checks its choices
  WarmStart numbered{{}, start.most_nodes};
  std::size_t first = 0;
  for (std::size_t g = 0; g < start.plan.size(); ++g) {
    numbered.plan.push_back(first + start.plan[g]);
    first += problem.groups[g].choices.size();
  }
  options.Validate();
  problem.Validate();
  return SolveConvexly(problem, std::move(numbered), options);
}

}  // namespace bitplan::search
