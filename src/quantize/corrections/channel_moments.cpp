#include "quantize/corrections/channel_moments.h"

#include <ATen/ATen.h>

#include <optional>
#include <vector>

#include "tuning.h"

namespace bitplan::quantize {

at::Tensor ChannelMoments::IsConstant() const { return deviation <= mean.abs() * 1e-6; }

namespace {

/// In double precision; for few values.
ChannelMoments OfFew(const at::Tensor& y, std::int64_t channel) {
  const at::Tensor values = y.movedim(channel, 0).flatten(1).to(at::kDouble), mean = values.mean(1);
  const at::Tensor variance = (values - mean.unsqueeze(1)).square_().mean(1);
  return {mean, variance.sqrt(), static_cast<double>(values.size(1))};
}

/// Of [N, …] in parts of one sample, which are the same however many come by at a time: batch norm's statistics, the
/// mean and then the squares around it, summed in double precision without a copy, and given in single precision.
ChannelMoments OfSamples(const at::Tensor& y, std::int64_t channel) {
  std::vector<at::Tensor> means, variances;
  for (const at::Tensor& sample : y.movedim(channel, 1).split(1)) {
    const auto [mean, variance] = at::batch_norm_update_stats(sample, {}, {}, /*momentum=*/0);
    means.push_back(mean);
    variances.push_back(variance);
  }
  const at::Tensor of_samples = at::stack(means).to(at::kDouble), mean = of_samples.mean(0);
  const at::Tensor within = at::stack(variances).to(at::kDouble).mean(0);
  const at::Tensor between = (of_samples - mean).square_().mean(0);
  return {mean, (within + between).sqrt(), static_cast<double>(y.numel() / y.size(channel))};
}

}  // namespace

ChannelMoments MomentsOfChannels(const at::Tensor& y, int channel_dim) {
  const std::int64_t channel = y.dim() + channel_dim;
  if (y.dim() == 1) return {y.to(at::kDouble), at::zeros_like(y, at::kDouble), 1};
  if (channel != 0 && y.numel() / y.size(0) > tuning::kFewValuesOfSample) return OfSamples(y, channel);
  if (channel == 0 || y.numel() <= tuning::kFewValuesTogether) return OfFew(y, channel);
  std::optional<ChannelMoments> all;
  for (const at::Tensor& part : y.split(tuning::kFewValuesTogether / tuning::kFewValuesOfSample)) {
    const ChannelMoments more = OfFew(part, channel);
    all = all ? Together(*all, more) : more;
  }
  return *all;
}

ChannelMoments Together(const ChannelMoments& a, const ChannelMoments& b) {
  const double elements = a.elements + b.elements, share = b.elements / elements;
  const at::Tensor between = b.mean - a.mean;
  const at::Tensor variance =
      a.deviation.square() * (1 - share) + b.deviation.square() * share + between.square() * (share * (1 - share));
  return {a.mean + between * share, variance.sqrt(), elements};
}

}  // namespace bitplan::quantize
