#pragma once

#include <ATen/core/Tensor.h>

namespace bitplan::quantize {

/// Mean and standard deviation of each channel, float64 [channels].
struct ChannelMoments {
  at::Tensor mean, deviation;
  double elements = 0;  ///< of a channel

  /// Channels whose deviation is no more than float32 rounding of their mean, bool [channels].
  at::Tensor IsConstant() const;
};

/// Over all axes of `y` but `channel_dim`, which counts from the back; sums are kept in float64.
ChannelMoments MomentsOfChannels(const at::Tensor& y, int channel_dim);

/// Of two sets of elements together (Chan, Golub and LeVeque 1979).
ChannelMoments Together(const ChannelMoments& a, const ChannelMoments& b);

}  // namespace bitplan::quantize
