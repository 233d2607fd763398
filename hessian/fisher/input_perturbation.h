#pragma once

#include <cstddef>
#include <vector>

#include "bitplan/network.h"
#include "fisher/visited_tensors.h"

namespace bitplan::hessian {

/// Adds a zero tensor that requires gradients to what is read at some sites: the variables that second derivatives in a
/// layer's inputs are taken in. A perturbation, and not the tensor itself, so that networks that write in place stay
/// valid.
class InputPerturbation : public Probe {
 public:
  explicit InputPerturbation(std::vector<int> sites) : sites_(std::move(sites)) {}

  at::Tensor Visit(int site, const at::Tensor& value) override;

  struct Variable {
    std::size_t slot = 0;  ///< position of its site in `sites`
    at::Tensor tensor;     ///< zeros
    at::Tensor value;      ///< what is read: the network's own tensor with these added, which nothing writes to
  };
  /// By slot, then in order of execution.
  std::vector<Variable> Variables() const;

 private:
  std::vector<int> sites_;
  VisitedTensors visited_;
  std::vector<Variable> variables_;  // in order of execution, as the tensors in visited_
};

}  // namespace bitplan::hessian
