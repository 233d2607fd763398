#include "quantize/channel_moments.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace bitplan {

at::Tensor ChannelMoments::IsConstant() const { return deviation <= mean.abs() * 1e-6; }

ChannelMoments MomentsOfChannels(const at::Tensor& y, int channel_dim) {
  const std::int64_t channel = y.dim() + channel_dim, channels = y.size(channel);
  std::vector<std::int64_t> others, shape(static_cast<std::size_t>(y.dim()), 1);
  for (std::int64_t dim = 0; dim < y.dim(); ++dim)
    if (dim != channel) others.push_back(dim);
  shape[static_cast<std::size_t>(channel)] = channels;
  if (others.empty()) return {y.to(at::kDouble), at::zeros_like(y, at::kDouble), 1};

  // Some samples at a time, so that the float64 copies stay small.
  constexpr std::int64_t kElements = std::int64_t{1} << 22;
  const std::int64_t samples = y.size(0), of_one = y.numel() / samples;
  const std::int64_t step = channel == 0 ? samples : std::max<std::int64_t>(1, kElements / of_one);
  const auto mean_of = [&](const std::function<at::Tensor(const at::Tensor&)>& term) {
    at::Tensor sum = at::zeros({channels}, y.options().dtype(at::kDouble));
    for (const at::Tensor& part : y.split(step)) sum += term(part.to(at::kDouble)).sum(others);
    return sum * (static_cast<double>(channels) / static_cast<double>(y.numel()));
  };
  const at::Tensor mean = mean_of([](const at::Tensor& part) { return part; });
  const at::Tensor variance = mean_of([&](const at::Tensor& part) { return (part - mean.view(shape)).square(); });
  return {mean, variance.sqrt(), static_cast<double>(y.numel() / channels)};
}

ChannelMoments Together(const ChannelMoments& a, const ChannelMoments& b) {
  const double elements = a.elements + b.elements, share = b.elements / elements;
  const at::Tensor between = b.mean - a.mean;
  const at::Tensor variance =
      a.deviation.square() * (1 - share) + b.deviation.square() * share + between.square() * (share * (1 - share));
  return {a.mean + between * share, variance.sqrt(), elements};
}

}  // namespace bitplan
