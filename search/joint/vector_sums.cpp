#include "joint/vector_sums.h"

#include <algorithm>

#include "simd/vector_clones.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

constexpr Eigen::Index kRows = tuning::joint::kRowsAtOnce;

/// sum += Σ_k scale_k · column k, of `count` columns of `rows` rows that begin `step` apart.
BITPLAN_VECTOR_CLONES
void AddScaledColumns(const double* __restrict columns, Eigen::Index step, Eigen::Index rows, Eigen::Index count,
                      const double* scale, double* __restrict sum) {
  Eigen::Index k = 0;
  for (; k + 4 <= count; k += 4) {
    const double *a = columns + k * step, *b = a + step, *c = b + step, *d = c + step;
    const double p = scale[k], q = scale[k + 1], r = scale[k + 2], s = scale[k + 3];
    for (Eigen::Index i = 0; i < rows; ++i) sum[i] += p * a[i] + q * b[i] + r * c[i] + s * d[i];
  }
  for (; k < count; ++k) {
    const double* a = columns + k * step;
    const double p = scale[k];
    for (Eigen::Index i = 0; i < rows; ++i) sum[i] += p * a[i];
  }
}

}  // namespace

void AddToLower(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Eigen::MatrixXd& sum) {
  for (Eigen::Index j = 0; j < sum.cols(); ++j)
    AddScaledColumns(a.data() + j, a.rows(), a.rows() - j, a.cols(), b.col(j).data(), sum.col(j).data() + j);
}

Eigen::MatrixXd GramOf(const Eigen::MatrixXd& rows) {
  const Eigen::Index size = rows.cols();
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(size, size);
  for (Eigen::Index from = 0; from < rows.rows(); from += kRows) {
    const Eigen::MatrixXd some = rows.middleRows(from, std::min(kRows, rows.rows() - from)), across = some.transpose();
    for (Eigen::Index j = 0; j < size; ++j)
      AddScaledColumns(across.data() + j, size, size - j, across.cols(), some.col(j).data(), gram.col(j).data() + j);
  }
  gram = gram.selfadjointView<Eigen::Lower>();
  return gram;
}

}  // namespace bitplan::search
