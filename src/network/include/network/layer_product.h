#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// How a convolution slides, a number for each axis.
struct Sliding {
  std::vector<std::int64_t> stride, padding, dilation;
  std::int64_t groups = 1;
};

/// What a convolution's weight meets, transposed or not: the input, its values `spread` apart with zeros between them,
/// `before` and `after` it zeros (or, below 0, values taken off), in windows as large as the weight, `dilation` apart
/// inside and `stride` between them. A number for each axis.
struct Windows {
  std::vector<std::int64_t> stride, dilation, before, after, spread;
  std::int64_t groups = 1;
  bool transposed = false;  ///< the weight is [C, out / groups, …], and its last value meets the window's first
};

/// What a linear layer or a matrix product sums over: an axis of the input, from the back, and one of the weight. Axes
/// of the weight but this one and that of the channels count products that are apart.
struct Contraction {
  int input_axis = -1;
  std::size_t weight_axis = 1;
};

/// What one use of a layer computes from its input and its weight, its bias left out: bilinear, y = x ∗ W.
/// Differentiable in both.
class LayerProduct {
 public:
  /// Nothing where input or output cannot be tapped, or the result depends on more than these two (a bias that is
  /// computed while the network runs).
  static std::optional<LayerProduct> Of(const Network& network, int layer, std::size_t use);

  /// `weight` has the shape of Network::Weight; `x` that of the layer's input in any number of samples.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& weight) const;

  /// The products with several weights [K, weight…], [K, output…]: as one product where the operator allows it.
  at::Tensor WithEach(const at::Tensor& x, const at::Tensor& weights) const;

  bool IsLinear() const { return linear_; }  ///< y = x Wᵀ for a weight [out, in], over any leading axes
  /// Of a convolution [N, C, …] with a weight [out, C / groups, …], not transposed, padded with zeros alike on both
  /// sides.
  const std::optional<Sliding>& sliding() const { return sliding_; }
  const std::optional<Windows>& windows() const { return windows_; }              ///< of every convolution
  const std::optional<Contraction>& contraction() const { return contraction_; }  ///< of every other product

 private:
  LayerProduct(torch::jit::Code code, std::vector<at::Tensor> parameters, std::size_t weight)
      : code_(std::move(code)), parameters_(std::move(parameters)), weight_(weight) {}

  void Describe(const Network& network, std::size_t layer, const torch::jit::Value* input, torch::jit::Node* node);

  torch::jit::Code code_;
  std::vector<at::Tensor>
      parameters_;      // zeros for all but the weight, which is undefined: after it, the operands of the program
  std::size_t weight_;  // position of the weight's value among them
  bool linear_ = false;
  std::optional<Sliding> sliding_;
  std::optional<Windows> windows_;
  std::optional<Contraction> contraction_;
};

}  // namespace bitplan::network
