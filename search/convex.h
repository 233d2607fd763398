#pragma once

#include "search/joint_tree.h"

namespace bitplan::search {

/// The best plan of a problem with a joint term, within the limits, from a plan `start` that counts. `floor` is a bound
/// that is known already.
JointTreeResult SearchConvexly(const Core& core, const JointObjective& objective, CorePlan start, double floor,
                               const JointLimits& limits, Monitor& monitor);

}  // namespace bitplan::search
