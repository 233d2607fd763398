#pragma once

#include <vector>

#include "search/core.h"
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
  std::vector<char> allowed;  ///< per column of the other groups; at least one a group
  RelaxedPoint start;         ///< shares of those columns; near the relaxation's minimum, it is hoped
};

/// How much a bound may cost.
enum class Effort { Quick, Full };

/// Bounds on the plans of a node, over the columns of the groups that it leaves free.
class JointBounder {
 public:
  virtual ~JointBounder() = default;
  virtual QuadraticBound Bound(const JointNode& node, double cutoff, Effort effort, Monitor& monitor) = 0;
};

/// The costs of the order's columns, [budget, column].
RowMatrix CostsOf(const Core& core, const JointOrder& order);
/// The core's limits, per budget.
Eigen::VectorXd LimitsOf(const Core& core);

}  // namespace bitplan::search
