#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "bitplan/progress.h"

namespace bitplan::hessian {

/// y = A x for a symmetric A of n rows, given by what it does to vectors. Counts its products and reports them, also
/// through a const reference, as Spectra multiplies: an operator is for one solver on one thread.
class SymmetricOperator {
 public:
  using Scalar = double;
  using Product = std::function<void(const double* x, double* y)>;

  /// Products are reported as steps of `stage`, a text that outlives this.
  SymmetricOperator(std::ptrdiff_t rows, Product product, int max_products, ProgressCallback progress,
                    std::string_view stage = "eigenvalues")
      : rows_(rows),
        product_(std::move(product)),
        max_products_(max_products),
        progress_(std::move(progress)),
        stage_(stage) {}

  std::ptrdiff_t rows() const { return rows_; }
  std::ptrdiff_t cols() const { return rows_; }

  /// Throws Error when y is not finite.
  void perform_op(const double* x, double* y) const;

  int products() const { return products_; }

 private:
  std::ptrdiff_t rows_;
  Product product_;
  int max_products_;
  ProgressCallback progress_;
  std::string_view stage_;
  mutable int products_ = 0;  // Spectra multiplies through a const reference
};

}  // namespace bitplan::hessian
