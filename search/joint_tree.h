#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "search/core.h"
#include "search/joint_objective.h"
#include "search/monitor.h"
#include "search/quadratic_relaxation.h"

namespace bitplan::search {

/// The columns of a core that are still in play, and the order in which the tree settles the groups.
struct JointOrder {
  std::vector<Index> column;  ///< of the core; the groups one after the other, contiguous
  std::vector<Index> first;   ///< groups + 1: where the columns of a group begin

  Index groups() const { return static_cast<Index>(first.size()) - 1; }
};

/// Columns that the first `settled.size()` groups of a JointOrder have taken, and those that the others may take.
/// Columns here are positions in JointOrder::column.
struct JointNode {
  std::vector<Index> settled;
  std::vector<char> allowed;  ///< per column of the other groups
  RelaxedPoint start;         ///< shares of those columns; near the relaxation's minimum, it is hoped
};

/// Bounds on the plans of a node, over the columns of the groups that it leaves free.
class JointBounder {
 public:
  virtual ~JointBounder() = default;
  virtual QuadraticBound Bound(const JointNode& node, double cutoff, Monitor& monitor) = 0;
};

struct JointTreeResult {
  CorePlan plan;
  double value = kInfinity;
  double bound = -kInfinity;  ///< no plan that counts is below it
  std::int64_t nodes = 0;
  bool complete = false;  ///< ended by itself
};

/// Branch and bound: the groups are settled in the given order, nodes taken best bound first, each followed down to its
/// best child. `plan` must count; plans within the relative `gap` of it need not be found. `bound` is proven already.
JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective, const JointOrder& order,
                                JointBounder& bounder, RelaxedPoint start, CorePlan plan, double bound, double gap,
                                Monitor& monitor);

/// Plans of at least this value need not be found when there is one of value `best`.
double JointCutoff(double best, double gap);

}  // namespace bitplan::search
