#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// What an accumulator does with a sum that it cannot hold.
enum class Overflow {
  Saturate,  ///< keeps the nearest number that it can hold
  Wrap,      ///< keeps the lowest bits (two's complement)
};

/// Names used on the command line: "saturate", "wrap". The parser throws Error listing them.
std::string_view ToString(Overflow overflow);
Overflow ParseOverflow(std::string_view text);

struct IntegerOptions {
  int accumulator_bits = 32;  ///< width of the sums of products, in [8, 48]
  Overflow overflow = Overflow::Saturate;
  int multiplier_bits = 31;  ///< bits of the integers that scales are multiplied by, in [1, 31]

  void Validate() const;  ///< throws Error
};

/// What one run gave.
struct IntegerRun {
  at::Tensor output;  ///< [N, …], float32
  /// As Network::layers(): accumulators that could not hold a sum, once or more often, over all uses of the layer.
  std::vector<std::int64_t> overflows;
};

/// A quantized network computed with integers, as a device without floating point would: the layers whose weights and
/// inputs are integers, and what lies between them as far as it has an integer form (docs/integer.md). The rest runs in
/// float on the values that the integers stand for. A value, like QuantizedNetwork.
class IntegerNetwork {
 public:
  /// Throws Error: options out of range, a network that is not on the CPU.
  static IntegerNetwork Create(const QuantizedNetwork& network, const IntegerOptions& options = {});

  /// Throws Error when the inputs do not fit the network.
  IntegerRun Run(const std::vector<at::Tensor>& inputs) const;
  at::Tensor Forward(const std::vector<at::Tensor>& inputs) const { return Run(inputs).output; }

  /// As Network::layers(): whether all uses of a layer multiply integers.
  const std::vector<bool>& integer_layers() const;

  /// The operators that compute in float, in order of execution, and why: layers by name, others by the value that they
  /// make.
  const std::vector<FloatOperator>& in_float() const;

  /// At every quantized input that was passed, in order of execution: its site and its codes (int32). For looking at
  /// what a run does.
  std::vector<std::pair<int, at::Tensor>> InputCodes(const std::vector<at::Tensor>& inputs) const;

 private:
  struct Impl;
  explicit IntegerNetwork(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan
