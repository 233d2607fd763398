#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/quantize.h"

namespace bitplan {

struct FastOptions {
  /// Whether linear layers with 8-bit weights whose input the plan leaves in float, and LSTMs with 8-bit weights, find
  /// an 8-bit range of what they read in each batch, and multiply integers (dynamic quantization). Their results are
  /// then not those of the fake-quantized network, which reads these inputs in float. Inputs whose format is dynamic
  /// are found so in any case.
  bool dynamic = false;
};

/// A quantized network with LibTorch's 8-bit kernels (oneDNN) in the place of the layers that have one: convolutions
/// and linear layers whose weight is of at most 8-bit integers with zero point 0 and whose input is of at most 8-bit
/// integers. Biases, corrections, rectifiers and additions that follow are part of the kernel; between two such layers
/// stay 8-bit integers. The rest runs in float on the values that the integers stand for. A value, like
/// QuantizedNetwork.
class FastNetwork {
 public:
  /// On a processor without 8-bit dot products (VNNI) all layers stay in float. Throws Error: a network that is not on
  /// the CPU.
  static FastNetwork Create(const QuantizedNetwork& network, const FastOptions& options = {});

  /// Output [N, …], float32: the fake-quantized network's but for sums in another order, which may put a number on the
  /// other side of a rounding. Not differentiable. Throws Error when the inputs do not fit the network.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs) const;

  /// As Network::layers(): whether all uses of a layer run on 8-bit kernels.
  const std::vector<bool>& fast_layers() const;

  /// The layers that run in float, in order of execution, and why.
  const std::vector<FloatOperator>& in_float() const;

 private:
  struct Impl;
  explicit FastNetwork(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan
