#include "quantize/corrections/channel_moments.h"

#include <ATen/ATen.h>

namespace bitplan {

at::Tensor ChannelMoments::IsConstant() const { return deviation <= mean.abs() * 1e-6; }

ChannelMoments MomentsOfChannels(const at::Tensor& y, int channel_dim) {
  const std::int64_t channel = y.dim() + channel_dim, channels = y.size(channel);
  if (y.dim() == 1) return {y.to(at::kDouble), at::zeros_like(y, at::kDouble), 1};
  // Batch norm's statistics: the mean, then the squares around it, summed in float64 without a copy.
  const auto [mean, variance] = at::batch_norm_update_stats(y.movedim(channel, 1), {}, {}, /*momentum=*/0);
  return {mean.to(at::kDouble), variance.to(at::kDouble).sqrt(), static_cast<double>(y.numel() / channels)};
}

ChannelMoments Together(const ChannelMoments& a, const ChannelMoments& b) {
  const double elements = a.elements + b.elements, share = b.elements / elements;
  const at::Tensor between = b.mean - a.mean;
  const at::Tensor variance =
      a.deviation.square() * (1 - share) + b.deviation.square() * share + between.square() * (share * (1 - share));
  return {a.mean + between * share, variance.sqrt(), elements};
}

}  // namespace bitplan
