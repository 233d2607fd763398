#include "joint/joint_objective.h"

#include "joint/logit_objective.h"
#include "joint/quadratic_objective.h"

namespace bitplan::search {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Q in the columns: entry [a, b] sums the pairs of what a and b take.
Eigen::MatrixXd MatrixOf(const QuadraticTerm& term, std::size_t choices, const std::vector<Together>& parts) {
  const auto size = static_cast<Eigen::Index>(choices), columns = static_cast<Eigen::Index>(parts.size());
  const Eigen::Map<const RowMajor> matrix(term.matrix.data(), size, size);
  Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(size, columns), sums = Eigen::MatrixXd::Zero(columns, columns);
  for (Eigen::Index c = 0; c < columns; ++c)
    for (const std::size_t part : parts[static_cast<std::size_t>(c)])
      rows.col(c) +=
          (matrix.row(static_cast<Eigen::Index>(part)).transpose() + matrix.col(static_cast<Eigen::Index>(part))) / 2;
  for (Eigen::Index c = 0; c < columns; ++c)
    for (const std::size_t part : parts[static_cast<std::size_t>(c)])
      sums.row(c) += rows.row(static_cast<Eigen::Index>(part));
  return sums;
}

std::unique_ptr<JointObjective> MakeQuadratic(const QuadraticTerm& term, std::size_t choices, Eigen::VectorXd linear,
                                              const std::vector<Together>& parts) {
  return std::make_unique<QuadraticObjective>(QuadraticModel{0, std::move(linear), MatrixOf(term, choices, parts)});
}

}  // namespace

double QuadraticModel::Value(const CorePlan& plan) const {
  double value = constant;
  for (const Index a : plan) {
    double pairs = 0;
    for (const Index b : plan) pairs += matrix(b, a);
    value += linear[a] + pairs / 2;
  }
  return value;
}

QuadraticModel QuadraticObjective::MinorantOver(const JointRegion& region, const Eigen::VectorXd&) const {
  const auto& column = region.order.column;
  QuadraticModel over{model_.Value(region.settled), model_.linear(column), model_.matrix(column, column)};
  for (const Index settled : region.settled) over.linear += model_.matrix.col(settled)(column);
  return over;
}

QuadraticBound JointObjective::TangentBound(const JointRegion& region, const RegionBudgets&, const QuadraticModel&,
                                            double, Monitor&) const {
  return {-kInfinity, Eigen::VectorXd::Zero(region.point.shares.size()), region.point};
}

std::unique_ptr<JointObjective> MakeJointObjective(const JointTerm& term, std::size_t choices, Eigen::VectorXd linear,
                                                   const std::vector<Together>& parts) {
  if (const auto* quadratic = std::get_if<QuadraticTerm>(&term))
    return MakeQuadratic(*quadratic, choices, std::move(linear), parts);
  const auto& logit = std::get<LogitTerm>(term);
  if (logit.loss == LogitLoss::SquaredShift)
    return MakeQuadratic(QuadraticOf(logit), choices, std::move(linear), parts);
  return std::make_unique<LogitObjective>(logit, parts, std::move(linear));
}

}  // namespace bitplan::search
