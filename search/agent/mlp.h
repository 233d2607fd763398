#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace bitplan::agent {

/// Fully connected layers with ReLU between them. Its own weights are not shared with copies.
class Mlp {
 public:
  /// `widths`: of the input, the hidden layers and the output. Weights and biases are uniform within ±1/√inputs of
  /// their layer.
  Mlp(const std::vector<std::int64_t>& widths, at::Generator& random);

  /// [n, inputs] to [n, outputs].
  at::Tensor Forward(const at::Tensor& input) const;

  const std::vector<at::Tensor>& parameters() const { return parameters_; }  ///< weight and bias of each layer

  /// Another one of the same values, without gradients.
  Mlp Frozen() const;

 private:
  explicit Mlp(std::vector<at::Tensor> parameters) : parameters_(std::move(parameters)) {}

  std::vector<at::Tensor> parameters_;
};

}  // namespace bitplan::agent
