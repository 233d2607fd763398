#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/search.h"

namespace bitplan {

std::string_view ToString(SearchMethod method) {
  switch (method) {
    case SearchMethod::Greedy:
      return "greedy";
    case SearchMethod::Exact:
      return "exact";
    case SearchMethod::Convex:
      return "convex";
    case SearchMethod::Agent:
      return "agent";
  }
  throw Error("unknown search method");
}

std::string_view ToString(SolutionStatus status) {
  switch (status) {
    case SolutionStatus::Optimal:
      return "optimal";
    case SolutionStatus::Feasible:
      return "feasible";
    case SolutionStatus::Infeasible:
      return "infeasible";
    case SolutionStatus::Unknown:
      return "unknown";
  }
  throw Error("unknown solution status");
}

SearchMethod ParseSearchMethod(std::string_view text) {
  for (const SearchMethod method :
       {SearchMethod::Greedy, SearchMethod::Exact, SearchMethod::Convex, SearchMethod::Agent})
    if (text == ToString(method)) return method;
  throw Error(fmt::format("unknown search method '{}', must be one of: greedy, exact, convex, agent", text));
}

std::string BriefReport(const Solution& solution) {
  const std::string effort = fmt::format("{:.3f} s, {} nodes", solution.seconds, solution.nodes);
  if (solution.status == SolutionStatus::Unknown)
    return fmt::format("{}: no plan found yet, none is below {:.8g}; {}", ToString(solution.status), solution.bound,
                       effort);
  if (solution.status != SolutionStatus::Infeasible)
    return fmt::format("{}: objective {:.8g}, bound {:.8g}, gap {:.2g}, {}", ToString(solution.status),
                       solution.objective, solution.bound, solution.gap, effort);
  const Infeasibility& why = solution.infeasibility;
  if (why.jointly)
    return fmt::format(
        "{}: the budgets cannot be met together; the closest plan found spends {:.8g} of '{}', limit {:.8g}; {}",
        ToString(solution.status), why.least, why.budget, why.limit, effort);
  return fmt::format("{}: every plan spends at least {:.8g} of '{}', limit {:.8g}; {}", ToString(solution.status),
                     why.least, why.budget, why.limit, effort);
}

}  // namespace bitplan
