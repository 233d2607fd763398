#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "quantize/quantized_network.h"

namespace bitplan::fast {

/// Integers of at most 8 bits as bytes q, which stand for scale · (q − zero): those of symmetric grids are moved up by
/// 128.
struct ByteGrid {
  double scale = 1;
  std::int64_t zero = 0, low = 0, high = 255;

  bool IsWhole() const { return low == 0 && high == 255; }  ///< whether every byte is on the grid
  bool operator==(const ByteGrid&) const = default;
};

/// Whether an input's integers fit bytes on a fixed grid.
bool HasByteGrid(const QuantizedInput& input);

/// Of such an input.
ByteGrid ByteGridOf(const QuantizedInput& input);

/// The bytes nearest to float32 numbers, as FakeQuantize has them; images lie channels last.
at::Tensor Bytes(const at::Tensor& x, const ByteGrid& grid);

/// Bounds of an activation.
struct Bounds {
  float least = -std::numeric_limits<float>::infinity(), most = std::numeric_limits<float>::infinity();
};

/// sum ← clamp(sum + other), of the same shape, and its bytes where a grid is given; undefined otherwise.
at::Tensor AddAndClamp(at::Tensor& sum, const at::Tensor& other, const Bounds& bounds,
                       const std::optional<ByteGrid>& grid);

}  // namespace bitplan::fast
