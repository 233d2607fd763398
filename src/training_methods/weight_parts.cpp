#include "weight_parts.h"

#include <ATen/ATen.h>

#include <vector>

#include "quantize/weight_grid.h"

namespace bitplan::training_methods {

WeightParts::WeightParts(const Format& format, int channel_axis, const at::Tensor& w)
    : channel_axis_(channel_axis < 0 ? channel_axis + static_cast<int>(w.dim()) : channel_axis), dimensions_(w.dim()) {
  const bool channels = format.granularity == Granularity::Channel;
  if (channels) count_ = w.size(channel_axis_);
  size_ = w.numel() / count_;
  for (std::int64_t axis = 0; axis < dimensions_; ++axis)
    if (!channels || axis != channel_axis_) reduced_.push_back(axis);
}

at::Tensor WeightParts::Along(const at::Tensor& numbers) const {
  return numbers.numel() == 1 ? numbers : quantize::AlongChannels(numbers, dimensions_, channel_axis_);
}

at::Tensor WeightParts::Sum(const at::Tensor& values) const {
  return reduced_.empty() ? values.to(at::kDouble) : values.sum(reduced_, true, at::kDouble);
}

at::Tensor WeightParts::Max(const at::Tensor& values) const {
  return reduced_.empty() ? values : values.amax(reduced_, true);
}

at::Tensor WeightParts::Min(const at::Tensor& values) const {
  return reduced_.empty() ? values : values.amin(reduced_, true);
}

}  // namespace bitplan::training_methods
