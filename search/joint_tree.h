#pragma once

#include "search/joint_bounder.h"
#include "search/joint_objective.h"

namespace bitplan::search {

/// When a search of the tree ends.
struct JointLimits {
  double gap = 0;  ///< relative: plans within it of the best one need not be found
  std::int64_t most_nodes = std::numeric_limits<std::int64_t>::max();
};

struct JointTreeResult {
  CorePlan plan;
  double value = kInfinity;
  double bound = -kInfinity;  ///< no plan that counts is below it
  std::int64_t nodes = 0;
  bool complete = false;                 ///< ended by itself
  std::vector<double> multipliers = {};  ///< of the budgets, at the root's relaxation
};

/// Branch and bound: the groups are settled in the given order, nodes taken best bound first, each followed down to its
/// best child. `plan` must count. `bound` is proven already.
JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective, const JointOrder& order,
                                JointBounder& bounder, RelaxedPoint start, CorePlan plan, double bound,
                                const JointLimits& limits, Monitor& monitor);

/// Plans of at least this value need not be found when there is one of value `best`.
double JointCutoff(double best, double gap);

}  // namespace bitplan::search
