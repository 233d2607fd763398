#include "search/joint_bounder.h"

namespace bitplan::search {

RowMatrix CostsOf(const Core& core, const JointOrder& order) {
  RowMatrix costs(core.budgets(), order.column.size());
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < order.column.size(); ++c)
      costs(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) = core.Cost(i, order.column[c]);
  return costs;
}

Eigen::VectorXd LimitsOf(const Core& core) {
  return Eigen::Map<const Eigen::VectorXd>(core.limits.data(), static_cast<Eigen::Index>(core.budgets()));
}

}  // namespace bitplan::search
