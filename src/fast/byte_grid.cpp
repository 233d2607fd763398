#include "byte_grid.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "byte_loops.h"
#include "tuning.h"

namespace bitplan::fast {

namespace {

ByteSteps StepsOf(const ByteGrid& grid) {
  return {1.0F / static_cast<float>(grid.scale), static_cast<float>(grid.low - grid.zero),
          static_cast<float>(grid.high - grid.zero), static_cast<float>(grid.zero)};
}

/// In the layout that the kernels read, each element once.
at::Tensor InKernelLayout(const at::Tensor& x) {
  if (x.dim() == 4) return x.contiguous(at::MemoryFormat::ChannelsLast);
  if (x.dim() == 5) return x.contiguous(at::MemoryFormat::ChannelsLast3d);
  return x.contiguous();
}

}  // namespace

bool HasByteGrid(const QuantizedInput& input) {
  return input.format.IsInteger() && input.format.bits <= 8 && input.format.calibrator != Calibrator::Dynamic &&
         input.range.offset == 0 && !input.outliers.defined();
}

ByteGrid ByteGridOf(const QuantizedInput& input) {
  const std::int64_t up = input.format.QuantMin() < 0 ? 128 : 0;
  return {input.range.scale, input.range.zero_point + up, input.format.QuantMin() + up, input.format.QuantMax() + up};
}

at::Tensor Bytes(const at::Tensor& x, const ByteGrid& grid) {
  const at::Tensor values = InKernelLayout(x.to(at::kFloat));
  at::Tensor bytes = at::empty_like(values, values.options().dtype(at::kByte));
  const float* const from = values.const_data_ptr<float>();
  std::uint8_t* const to = bytes.mutable_data_ptr<std::uint8_t>();
  at::parallel_for(0, values.numel(), tuning::kValuesOfAThread,
                   [&, steps = StepsOf(grid)](std::int64_t begin, std::int64_t end) {
                     RoundToBytes(from + begin, to + begin, end - begin, steps);
                   });
  return bytes;
}

at::Tensor AddAndClamp(at::Tensor& sum, const at::Tensor& other, const Bounds& bounds,
                       const std::optional<ByteGrid>& grid) {
  sum = InKernelLayout(sum);
  const at::Tensor added = InKernelLayout(other);
  at::Tensor bytes = grid ? at::empty_like(sum, sum.options().dtype(at::kByte)) : at::Tensor();
  float* const to = sum.mutable_data_ptr<float>();
  const float* const from = added.const_data_ptr<float>();
  std::uint8_t* const coded = grid ? bytes.mutable_data_ptr<std::uint8_t>() : nullptr;
  const ByteSteps steps = StepsOf(grid.value_or(ByteGrid{}));
  at::parallel_for(0, sum.numel(), tuning::kValuesOfAThread, [&](std::int64_t begin, std::int64_t end) {
    if (coded)
      return AddAndClampToBytes(to + begin, from + begin, coded + begin, end - begin, bounds.least, bounds.most, steps);
    AddAndClamp(to + begin, from + begin, end - begin, bounds.least, bounds.most);
  });
  return bytes;
}

}  // namespace bitplan::fast
