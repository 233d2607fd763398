#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace bitplan::hessian {

/// The columns of `vectors` whose values are largest in magnitude, largest first.
inline Eigen::MatrixXd LargestInMagnitude(const Eigen::VectorXd& values, const Eigen::MatrixXd& vectors,
                                          Eigen::Index count) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return std::abs(values[a]) > std::abs(values[b]); });
  Eigen::MatrixXd largest(vectors.rows(), count);
  for (Eigen::Index i = 0; i < count; ++i) largest.col(i) = vectors.col(order[static_cast<std::size_t>(i)]);
  return largest;
}

}  // namespace bitplan::hessian
