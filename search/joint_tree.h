#pragma once

#include "search/joint_bounder.h"
#include "search/joint_objective.h"

namespace bitplan::search {

struct JointTreeResult {
  CorePlan plan;
  double value = kInfinity;
  double bound = -kInfinity;  ///< no plan that counts is below it
  std::int64_t nodes = 0;
  bool complete = false;  ///< ended by itself
  std::vector<double> multipliers = {};  ///< of the budgets, at the root's relaxation
};

/// Branch and bound: the groups are settled in the given order, nodes taken best bound first, each followed down to its
/// best child. `plan` must count; plans within the relative `gap` of it need not be found. `bound` is proven already.
JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective, const JointOrder& order,
                                JointBounder& bounder, RelaxedPoint start, CorePlan plan, double bound, double gap,
                                Monitor& monitor);

/// Plans of at least this value need not be found when there is one of value `best`.
double JointCutoff(double best, double gap);

}  // namespace bitplan::search
