#include "eigen/symmetric_operator.h"

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"

namespace bitplan::hessian {

void SymmetricOperator::perform_op(const double* x, double* y) const {
  product_(x, y);
  ++products_;
  if (!std::all_of(y, y + rows_, [](double value) { return std::isfinite(value); })) {
    throw Error("a Hessian-vector product is not finite: the loss has no second derivative at this network's weights");
  }
  Report(progress_, stage_, std::min(products_, max_products_), max_products_);
}

}  // namespace bitplan::hessian
