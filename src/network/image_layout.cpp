#include "network/image_layout.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "bitplan/error.h"
#include "network/strides.h"

namespace bitplan::network {

namespace {

bool IsImage(const at::Tensor& tensor) { return tensor.dim() == 4 && tensor.is_floating_point(); }

std::vector<at::Tensor> ChannelsLast(std::vector<at::Tensor> inputs) {
  for (at::Tensor& input : inputs)
    if (IsImage(input)) input = input.contiguous(at::MemoryFormat::ChannelsLast);
  return inputs;
}

}  // namespace

ImageLayout::ImageLayout(const Network& network, const std::vector<at::Tensor>& one_sample) {
  if (std::none_of(one_sample.begin(), one_sample.end(), IsImage) || DependsOnStrides(*network.lowered().graph)) return;
  const at::NoGradGuard no_gradient;
  try {
    network.Forward(ChannelsLast(one_sample));
    channels_last_ = true;
  } catch (const Error&) {
    channels_last_ = false;
  }
}

std::vector<at::Tensor> ImageLayout::operator()(std::vector<at::Tensor> inputs) const {
  return channels_last_ ? ChannelsLast(std::move(inputs)) : inputs;
}

}  // namespace bitplan::network
