#include "integer/grid.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "multiplier.h"

namespace bitplan::integer {

namespace {

/// Each integer times its channel's multiplier: rows of `inner` integers, channel after channel.
template <typename From>
void RequantizeRows(const From* from, std::int32_t* to, std::int64_t rows, std::int64_t inner,
                    const std::vector<Multiplier>& multipliers, std::int64_t from_zero, const IntegerGrid& grid) {
  const auto channels = static_cast<std::int64_t>(multipliers.size());
  at::parallel_for(0, rows, std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(inner, 1)),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t row = begin; row < end; ++row) {
                       const Multiplier multiplier = multipliers[static_cast<std::size_t>(row % channels)];
                       for (std::int64_t i = row * inner; i < (row + 1) * inner; ++i)
                         to[i] = static_cast<std::int32_t>(std::clamp(
                             Multiplied(static_cast<std::int64_t>(from[i]) - from_zero, multiplier) + grid.zero_point,
                             grid.low, grid.high));
                     }
                   });
}

}  // namespace

IntegerGrid GridOf(const QuantizedInput& input) {
  IntegerGrid grid;
  const double scale = static_cast<float>(input.range.scale);  // what FakeQuantize computes with
  grid.scale = at::full({1}, scale, at::kDouble);
  grid.zero_point = input.range.zero_point;
  grid.low = input.format.QuantMin();
  grid.high = input.format.QuantMax();
  grid.reach = scale * static_cast<double>(
                           std::max(std::abs(grid.low - grid.zero_point), std::abs(grid.high - grid.zero_point)));
  return grid;
}

IntegerGrid WideGrid(double reach) {
  IntegerGrid grid;
  const int exponent = reach > 0 ? std::ilogb(reach) + 1 : 0;  // reach < 2^exponent
  grid.scale = at::full({1}, std::ldexp(1.0, exponent - 30), at::kDouble);
  grid.reach = reach;
  return grid;
}

at::Tensor AlongGrid(const at::Tensor& numbers, const IntegerGrid& grid) {
  if (grid.HasOneScale()) return numbers;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(-grid.channel_axis), 1);
  shape[0] = -1;
  return numbers.view(shape);
}

at::Tensor Quantized(const at::Tensor& x, const IntegerGrid& grid) {
  const float inverse = 1.0F / static_cast<float>(grid.Scale());
  const auto low = static_cast<double>(grid.low - grid.zero_point),
             high = static_cast<double>(grid.high - grid.zero_point);
  return x.to(at::kFloat).mul(inverse).clamp_(low, high).round_().to(at::kInt).add_(grid.zero_point);
}

at::Tensor Dequantized(const at::Tensor& q, const IntegerGrid& grid) {
  return (q.to(at::kDouble) - static_cast<double>(grid.zero_point)).mul_(AlongGrid(grid.scale, grid)).to(at::kFloat);
}

at::Tensor Requantized(const at::Tensor& q, const IntegerGrid& from, const IntegerGrid& to, int multiplier_bits) {
  std::vector<Multiplier> multipliers;
  for (std::int64_t c = 0; c < from.scale.numel(); ++c)
    multipliers.push_back(MultiplierOf(from.scale[c].item<double>() / to.Scale(), multiplier_bits));
  const at::Tensor integers = q.contiguous();
  at::Tensor result = at::empty(integers.sizes(), at::kInt);
  std::int64_t inner = integers.numel();
  if (!from.HasOneScale()) {
    inner = 1;
    for (std::int64_t axis = integers.dim() + from.channel_axis + 1; axis < integers.dim(); ++axis)
      inner *= integers.size(axis);
  }
  if (integers.numel() == 0) return result;
  const std::int64_t rows = integers.numel() / inner;
  auto* const out = result.mutable_data_ptr<std::int32_t>();
  if (integers.scalar_type() == at::kLong)
    RequantizeRows(integers.const_data_ptr<std::int64_t>(), out, rows, inner, multipliers, from.zero_point, to);
  else
    RequantizeRows(integers.const_data_ptr<std::int32_t>(), out, rows, inner, multipliers, from.zero_point, to);
  return result;
}

}  // namespace bitplan::integer
