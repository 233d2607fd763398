#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "byte_grid.h"
#include "network/layer_product.h"
#include "network/step_program.h"

namespace bitplan::fast {

/// What a kernel does with a product before it writes it.
struct Epilogue {
  Bounds bounds;                   ///< of an activation: 0 and more, 0 to 6, …
  std::optional<ByteGrid> output;  ///< bytes of a whole grid; float32 otherwise
};

/// Whether kernels can clamp so: not at all, at 0 below, or at two numbers.
bool HasKernel(const Bounds& bounds);

/// One use of a layer on an 8-bit kernel.
class FastProduct {
 public:
  /// Or why there is none. With `dynamic`, linear layers that read float have one.
  static std::variant<FastProduct, std::string> Of(const Network& network, const QuantizedState& state,
                                                   const network::LayerOperator& use, bool dynamic);

  /// What it reads; nothing: float, whose range it finds itself.
  const std::optional<ByteGrid>& input() const { return input_; }

  /// x ∗ W + bias of bytes x, or of float32 numbers.
  at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const;

  std::vector<std::int64_t> ResultShape(at::IntArrayRef input) const;

 private:
  FastProduct() = default;
  at::Tensor Convolved(const at::Tensor& x, const Epilogue& epilogue) const;
  bool IsBatched(at::IntArrayRef input) const;  ///< [N, C, …], not [C, …]
  at::Tensor Linear(const at::Tensor& x, const ByteGrid& grid, const Epilogue& epilogue) const;

  std::optional<ByteGrid> input_;
  Format input_format_;                      // of what is found in each batch
  std::int64_t spatial_axes_ = 0;            // of the network's convolution: 1 or 2
  std::optional<network::Sliding> sliding_;  // over two axes
  std::vector<std::int64_t> kernel_;         // its spatial sizes
  at::Tensor weight_;                        // packed
  at::Tensor scale_, zero_point_, bias_;
};

/// Whether this processor multiplies bytes and adds them up in 32 bits in one instruction.
bool HasByteKernels();

}  // namespace bitplan::fast
