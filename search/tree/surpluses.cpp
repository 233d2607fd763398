#include "tree/surpluses.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::surpluses;

/// From each column to the next in the order of the first cost: differences of costs and loss, [pair, budget + 1].
Eigen::MatrixXd StepsOf(const Core& core) {
  const auto budgets = static_cast<Eigen::Index>(core.budgets());
  Eigen::MatrixXd steps(static_cast<Eigen::Index>(core.columns() - core.groups()), budgets + 1);
  Eigen::Index row = 0;
  for (std::size_t g = 0; g < core.groups(); ++g) {
    std::vector<Index> columns(core.first[g + 1] - core.first[g]);
    std::iota(columns.begin(), columns.end(), core.first[g]);
    std::sort(columns.begin(), columns.end(), [&](Index a, Index b) { return core.cost[a] < core.cost[b]; });
    for (std::size_t at = 1; at < columns.size(); ++at, ++row) {
      for (Eigen::Index i = 0; i < budgets; ++i) {
        const auto budget = static_cast<std::size_t>(i);
        steps(row, i) = core.Cost(budget, columns[at]) - core.Cost(budget, columns[at - 1]);
      }
      steps(row, budgets) = core.loss[columns[at]] - core.loss[columns[at - 1]];
    }
  }
  return steps;
}

/// Loss per cost of each budget, of as many steps as possible: least squares with weights 1 / (deviation² + width²),
/// the width halved each time, so that steps off the line come to weigh nothing.
Eigen::VectorXd SlopesOf(const Eigen::MatrixXd& steps) {
  const Eigen::Index budgets = steps.cols() - 1;
  const Eigen::MatrixXd costs = steps.leftCols(budgets);
  const Eigen::VectorXd losses = steps.col(budgets);
  Eigen::VectorXd weight = Eigen::VectorXd::Ones(steps.rows()), slopes;
  double width = losses.cwiseAbs().maxCoeff();
  for (int round = 0; round < kRounds; ++round, width /= 2) {
    const Eigen::MatrixXd weighted = weight.asDiagonal() * costs;
    slopes = (costs.transpose() * weighted).completeOrthogonalDecomposition().solve(weighted.transpose() * losses);
    weight = width * width / ((losses - costs * slopes).array().square() + width * width);
  }
  return slopes;
}

}  // namespace

std::vector<double> SurplusesOf(const Core& core) {
  if (core.columns() == core.groups() || core.budgets() == 0) return {};
  const Eigen::VectorXd slopes = SlopesOf(StepsOf(core));
  std::vector<double> surplus = core.loss;
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < core.columns(); ++c)
      surplus[c] -= slopes[static_cast<Eigen::Index>(i)] * core.Cost(i, c);
  for (std::size_t g = 0; g < core.groups(); ++g) {
    const auto begin = surplus.begin() + core.first[g], end = surplus.begin() + core.first[g + 1];
    const double least = *std::min_element(begin, end);
    for (auto at = begin; at != end; ++at) *at -= least;
  }
  std::vector<double> sorted = surplus;
  std::sort(sorted.begin(), sorted.end());
  const double range = sorted.back();
  if (!(range > kLeastRange * *std::max_element(core.loss.begin(), core.loss.end()))) return {};
  std::vector<double> steps;  // where each begins
  double begun = sorted.front();
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] - sorted[i - 1] > kLeastStepOfRange * range) {
      steps.push_back(sorted[i]);
      begun = sorted[i];
    } else if (sorted[i] - begun > kLeastStepOfRange * range) {
      return {};
    }
  }
  for (double& of_column : surplus)
    of_column = static_cast<double>(std::upper_bound(steps.begin(), steps.end(), of_column) - steps.begin());
  return surplus;
}

}  // namespace bitplan::search
