#include "fisher/input_perturbation.h"

#include <torch/types.h>

#include <algorithm>

namespace bitplan::hessian {

at::Tensor InputPerturbation::Visit(int site, const at::Tensor& value) {
  const auto slot = std::find(sites_.begin(), sites_.end(), site);
  if (slot == sites_.end() || !value.is_floating_point()) return value;
  if (const auto known = visited_.Find(value)) return variables_[*known].value;
  const at::Tensor zero = torch::zeros_like(value, at::MemoryFormat::Contiguous).requires_grad_();
  visited_.Add(value);
  variables_.push_back({static_cast<std::size_t>(slot - sites_.begin()), zero, value + zero});
  return variables_.back().value;
}

std::vector<InputPerturbation::Variable> InputPerturbation::Variables() const {
  std::vector<Variable> sorted = variables_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Variable& a, const Variable& b) { return a.slot < b.slot; });
  return sorted;
}

}  // namespace bitplan::hessian
