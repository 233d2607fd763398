#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "joint/joint_region.h"
#include "joint/shifted_bounder.h"
#include "monitor.h"

namespace bitplan::search {

/// The best plan so far.
struct JointIncumbent {
  CorePlan plan;
  double value = kInfinity;
  double gap = 0;  ///< relative: plans within it of this one need not be found

  /// Plans of at least this value need not be found.
  double Cutoff() const;

  /// Takes a plan that is better, after exchanges. Returns its value before them, infinite where it is over a budget.
  double Offer(const Core& core, const JointObjective& objective, CorePlan offered, Monitor& monitor);
};

/// A part of a region that is still to be searched: the plans of a node that take a column of its first free group.
class OpenRegion {
 public:
  /// What children of a node have in common.
  struct Parent {
    std::shared_ptr<const JointRegion> region;
    std::vector<Index> settled;  ///< as in JointNode
    std::vector<char> allowed;
    Eigen::VectorXf shares;
    Eigen::VectorXd multipliers;
  };
  OpenRegion(std::shared_ptr<const Parent> parent, Index column, double bound)
      : parent_(std::move(parent)), column_(column), bound_(bound) {}

  double bound() const { return bound_; }  ///< no plan that counts is below it
  Index FirstColumn() const;               ///< that the first group of the region takes
  JointNode Node() const;                  ///< of the region that it is a part of
  JointRegion Region() const;

 private:
  std::shared_ptr<const Parent> parent_;
  Index column_;  // position in the region's order
  double bound_;
};

/// The order of heaps whose top has the least bound.
bool WaitsLonger(const OpenRegion& a, const OpenRegion& b);

struct JointTreeResult {
  std::vector<OpenRegion> open;  ///< what is left, where nodes or time did not suffice
  double pruned = kInfinity;     ///< the least bound at which anything was ruled out
  std::int64_t nodes = 0;
};

/// Branch and bound: the region's groups are settled in its order, nodes taken best bound first, each followed down to
/// its best child. `bound` of the region is proven already.
JointTreeResult SearchJointTree(const Core& core, const JointObjective& objective,
                                std::shared_ptr<const JointRegion> region, ShiftedBounder& bounder, double bound,
                                std::int64_t most_nodes, JointIncumbent& incumbent, Monitor& monitor);

}  // namespace bitplan::search
