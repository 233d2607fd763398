#include "mlp.h"

#include <ATen/ATen.h>

#include <cmath>

namespace bitplan::agent {

Mlp::Mlp(const std::vector<std::int64_t>& widths, at::Generator& random) {
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const double most = 1 / std::sqrt(static_cast<double>(widths[i]));
    for (const std::vector<std::int64_t>& shape : {std::vector{widths[i + 1], widths[i]}, std::vector{widths[i + 1]}})
      parameters_.push_back(at::empty(shape, at::kFloat).uniform_(-most, most, random).requires_grad_());
  }
}

at::Tensor Mlp::Forward(const at::Tensor& input) const {
  at::Tensor x = input;
  for (std::size_t i = 0; i < parameters_.size(); i += 2) {
    x = at::linear(x, parameters_[i], parameters_[i + 1]);
    if (i + 2 < parameters_.size()) x = x.relu();
  }
  return x;
}

Mlp Mlp::Frozen() const {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& parameter : parameters_) copies.push_back(parameter.detach().clone());
  return Mlp(std::move(copies));
}

}  // namespace bitplan::agent
