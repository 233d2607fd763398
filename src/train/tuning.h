#pragma once

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::train::tuning {

/// Channels of a norm whose scale is below this share of the largest one's are off: they are not divided by it, whose
/// gradients would be without bounds.
inline constexpr double kShareOfChannelOff = 1e-4;

}  // namespace bitplan::train::tuning
