#include <Spectra/SymEigsSolver.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <limits>
#include <utility>

#include "curvature/random_vector.h"
#include "eigen/eigen_solvers.h"
#include "eigen/largest_magnitude.h"
#include "tuning.h"

namespace bitplan::hessian {

namespace {

/// A / ‖A v₀‖, since some of Spectra's thresholds are absolute. The first vector that Spectra multiplies is the
/// starting vector v₀, whose product has been spent on the scale.
class ScaledOperator {
 public:
  using Scalar = double;

  ScaledOperator(const SymmetricOperator& matrix, Eigen::VectorXd product_of_start)
      : matrix_(matrix), scale_(product_of_start.norm()), product_of_start_(std::move(product_of_start)) {}

  Eigen::Index rows() const { return matrix_.rows(); }
  Eigen::Index cols() const { return matrix_.rows(); }

  void perform_op(const double* x, double* y) const {
    Eigen::Map<Eigen::VectorXd> result(y, rows());
    if (product_of_start_.size() > 0) {
      result = product_of_start_ / scale_;
      product_of_start_.resize(0);
      return;
    }
    matrix_.perform_op(x, y);
    result /= scale_;
  }

 private:
  const SymmetricOperator& matrix_;
  double scale_;
  mutable Eigen::VectorXd product_of_start_;
};

/// Spectra's solver, which keeps Ritz pairs that have not converged to itself.
class RitzSolver : public Spectra::SymEigsSolver<ScaledOperator> {
 public:
  using SymEigsSolver::SymEigsSolver;

  Eigen::MatrixXd TopRitzVectors(int count) const {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> projected(m_fac.matrix_H());
    const Eigen::MatrixXd top = LargestInMagnitude(projected.eigenvalues(), projected.eigenvectors(), count);
    return m_fac.matrix_V() * top;
  }
};

/// Restarts that `max_products` allow. A factorization takes krylov_size + 1 products, and each restart builds anew all
/// but the columns that Spectra keeps (SymEigsBase::nev_adjusted).
int RestartsWithin(int max_products, int count, int krylov_size) {
  const int kept = count > 1 ? count : (krylov_size >= 6 ? krylov_size / 2 : 1);
  return std::max(0, (max_products - krylov_size - 1) / (krylov_size - kept));
}

int KrylovSize(std::int64_t rows, int count, int max_products) {
  const int wanted = std::max(2 * count + 1, tuning::kLeastKrylovSize);
  return static_cast<int>(std::min<std::int64_t>(rows, std::max(count + 1, std::min(wanted, max_products - 1))));
}

}  // namespace

std::int64_t EigenpairBytes(std::int64_t rows, int count) {
  constexpr int kOthers = 5;  // the start, its product, the residual, one that is multiplied and what it gives
  return 8 * rows * (KrylovSize(rows, count, std::numeric_limits<int>::max()) + 2 * count + kOthers);
}

Eigen::MatrixXd LanczosTopVectors(const SymmetricOperator& matrix, int count, double tolerance, int max_products,
                                  std::uint64_t seed) {
  const Eigen::Index n = matrix.rows();
  auto generator = MakeGenerator(seed, 0);
  const std::vector<double> start = UniformVector(static_cast<std::size_t>(n), generator);
  Eigen::VectorXd product(n);
  matrix.perform_op(start.data(), product.data());
  if (product.norm() == 0) return Eigen::MatrixXd::Identity(n, count);  // a random vector in its kernel: A is zero

  const int krylov_size = KrylovSize(n, count, max_products);
  ScaledOperator scaled(matrix, std::move(product));
  RitzSolver solver(scaled, count, krylov_size);
  solver.init(start.data());
  // Half the tolerance leaves room for what float32 adds to the residual.
  solver.compute(Spectra::SortRule::LargestMagn, RestartsWithin(max_products, count, krylov_size), tolerance / 2,
                 Spectra::SortRule::LargestMagn);
  return solver.TopRitzVectors(count);
}

}  // namespace bitplan::hessian
