#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "joint/joint_objective.h"
#include "monitor.h"

namespace bitplan::search {

/// When a convex search ends.
struct JointLimits {
  double gap = 0;  ///< relative: plans within it of the best one need not be found
  std::int64_t most_nodes = std::numeric_limits<std::int64_t>::max();
};

struct JointResult {
  CorePlan plan;
  double value = kInfinity;
  double bound = -kInfinity;  ///< no plan that counts is below it
  std::int64_t nodes = 0;
  bool complete = false;                 ///< ended by itself
  std::vector<double> multipliers = {};  ///< of the budgets, at the root's relaxation
};

/// The best plan of a problem with a joint term, within the limits, from a plan `start` that counts. `floor` is a bound
/// that is known already. Branch and bound in two tiers: regions, best bound first, are narrowed by the relaxation of
/// the objective and of a quadratic below it, which is made for the region and costs milliseconds; on that quadratic
/// a tree of the region's nodes is searched, thousands a second, until it is time to make better ones for what is left.
JointResult SearchConvexly(const Core& core, const JointObjective& objective, CorePlan start, double floor,
                           const JointLimits& limits, Monitor& monitor);

}  // namespace bitplan::search
