#pragma once

#include "joint/joint_objective.h"
#include "monitor.h"

namespace bitplan::search {

/// Improves a plan that counts by changing one group, or two at once, until that no longer lowers the objective. The
/// changes are ranked by the objective's expansion at the plan, and the best of them tried.
CorePlan ExchangeJointly(const Core& core, const JointObjective& objective, CorePlan plan, Monitor& monitor);

/// Iterated local search (Lourenço, Martin and Stützle 2003): `kicks` times, some groups of the best plan are changed
/// to columns drawn from `order`, and the exchanges repeated. Equal arguments give equal plans.
CorePlan KickAndExchange(const Core& core, const JointObjective& objective, const JointOrder& order, CorePlan plan,
                         int kicks, Monitor& monitor);

}  // namespace bitplan::search
