#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bitplan/curvature.h"
#include "curvature/variable_slots.h"

namespace bitplan::hessian {

/// Gradient of one batch's mean loss in some variables, with the graph that it was computed by, so that it can be
/// differentiated again: H v = ∇(gᵀv) (Pearlmutter 1994). Product runs through that graph: one thread at a time.
class BatchGradient {
 public:
  /// Throws Error when an operator on the way has no derivative.
  BatchGradient(const LossFunction& loss, std::size_t batch, const VariableSlots& slots);

  std::size_t size() const { return variables_.size(); }
  const at::Tensor& variable(std::size_t i) const { return variables_[i]; }
  std::size_t slot(std::size_t i) const { return slot_of_[i]; }  ///< ascending in i

  /// H v for the Hessian of the batch's mean loss; one tensor per variable, of its shape. Throws Error when an operator
  /// on the way has no second derivative.
  std::vector<at::Tensor> Product(const std::vector<at::Tensor>& direction) const;

 private:
  std::vector<at::Tensor> variables_;
  std::vector<std::size_t> slot_of_;
  std::vector<at::Tensor> gradient_;  // undefined where the loss does not depend on the variable
  std::string names_;                 // of the layers, for messages
};

/// Elements of the variables of one batch, found by a forward run alone; one list per slot.
std::vector<std::vector<std::int64_t>> VariableSizes(const LossFunction& loss, std::size_t batch,
                                                     const VariableSlots& slots);

}  // namespace bitplan::hessian
