#include "heuristics/incumbent.h"

#include <algorithm>
#include <cmath>

#include "tuning.h"

namespace bitplan::search {

bool Incumbent::Offer(const Core& core, const CorePlan& plan) {
  if (plan.empty()) return false;
  const double offered = core.Value(plan);
  if (!(offered < value)) return false;
  value = offered;
  choices = ChoicesOf(core, plan);
  return true;
}

double Incumbent::Cutoff(const Core& core, double gap) const {
  if (choices.empty()) return kInfinity;
  const double objective = std::abs(value + core.loss_shift / core.loss_scale);
  const double rounding = std::max(tuning::kRounding * std::min(objective, value), 1e-15 * (objective + value));
  return value - std::max(rounding, gap * objective);
}

}  // namespace bitplan::search
