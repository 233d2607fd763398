#include "resamples_report.h"

#include <fmt/format.h>

#include "tell.h"

namespace bitplan::cli {

void TellOfResamples(const Plan& plan, const Sensitivity& sensitivity, std::int64_t asked) {
  const std::int64_t made = plan.stability ? plan.stability->resamples : 0;
  const bool possible = plan.stability || (sensitivity.contributions && sensitivity.contributions->samples > 1);
  if (!possible || made >= asked) return;
  Tell(
      fmt::format("the time limit left room for {} of {} resamples of the plan's stability (--time-limit, --resamples)",
                  made, asked));
}

}  // namespace bitplan::cli
