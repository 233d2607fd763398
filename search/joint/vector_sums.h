#pragma once

#include <Eigen/Core>

namespace bitplan::search {

/// The lower triangle of sum += a · b, whose inner size is small.
void AddToLower(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Eigen::MatrixXd& sum);

/// rowsᵀ · rows.
Eigen::MatrixXd GramOf(const Eigen::MatrixXd& rows);

}  // namespace bitplan::search
