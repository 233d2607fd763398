#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<SolutionStatus, 4> kStatuses = {{{SolutionStatus::Optimal, "optimal"},
                                                       {SolutionStatus::Feasible, "feasible"},
                                                       {SolutionStatus::Infeasible, "infeasible"},
                                                       {SolutionStatus::Unknown, "unknown"}}};

}  // namespace

BITPLAN_ENUM_NAMES(SolutionStatus, kStatuses, "solution status")

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
