#include "quantize/corrections/input_moments.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace bitplan {

namespace {

/// [groups, samples and positions, d].
at::Tensor Patches(const at::Tensor& x, const Sliding& sliding, at::IntArrayRef weight_shape) {
  const std::size_t spatial = weight_shape.size() - 2;
  std::vector<std::int64_t> pads;
  for (std::size_t axis = spatial; axis-- > 0;) pads.insert(pads.end(), 2, sliding.padding[axis]);
  at::Tensor windows = at::constant_pad_nd(x, pads);
  for (std::size_t axis = 0; axis < spatial; ++axis) {
    const std::int64_t dilation = sliding.dilation[axis], reach = (weight_shape[axis + 2] - 1) * dilation + 1;
    windows =
        windows.unfold(static_cast<std::int64_t>(axis) + 2, reach, sliding.stride[axis]).slice(-1, 0, reach, dilation);
  }
  // [N, groups · channels, positions…, kernel…] → [groups, N, positions…, channels, kernel…]
  windows = windows.unflatten(1, {sliding.groups, weight_shape[1]}).movedim(1, 0);
  windows = windows.movedim(2, 2 + static_cast<std::int64_t>(spatial));
  return windows.reshape({sliding.groups, -1, c10::multiply_integers(weight_shape.slice(1))});
}

}  // namespace

bool HasInputMoments(const LayerProduct& product) { return product.IsLinear() || product.sliding().has_value(); }

at::Tensor InputMoments(const LayerProduct& product, const at::Tensor& x, at::IntArrayRef weight_shape) {
  constexpr std::int64_t kChunkElements = std::int64_t{1} << 24;  // of patches, 64 MiB
  const auto values = c10::multiply_integers(weight_shape.slice(1));
  const bool batched = product.IsLinear() || x.dim() == static_cast<std::int64_t>(weight_shape.size());
  const at::Tensor samples = product.IsLinear() ? x.reshape({-1, weight_shape[1]}) : batched ? x : x.unsqueeze(0);
  const std::int64_t groups = product.IsLinear() ? 1 : product.sliding()->groups;
  at::Tensor sum = at::zeros({groups, values, values}, x.options().dtype(at::kDouble));
  std::int64_t rows = 0;
  const std::int64_t growth = product.IsLinear() ? 1 : values / weight_shape[1];  // at stride 1
  const std::int64_t chunk =
      std::max<std::int64_t>(1, kChunkElements / std::max<std::int64_t>(1, samples[0].numel() * growth));
  for (const at::Tensor& part : samples.split(chunk)) {
    const at::Tensor patches = product.IsLinear() ? part.unsqueeze(0) : Patches(part, *product.sliding(), weight_shape);
    sum += patches.transpose(1, 2).matmul(patches);
    rows += patches.size(1);
  }
  return sum / static_cast<double>(std::max<std::int64_t>(rows, 1));
}

}  // namespace bitplan
