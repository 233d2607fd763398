#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::training_methods::tuning {

/// Learned scales and lengths are kept at or above this.
inline constexpr double kLeastScale = 1e-6;

/// Of moving averages, a batch's share in which is 1 − this: "close to 1" (Jacob et al. 2018, section 3.1).
inline constexpr double kAverageDecay = 0.99;

/// Of PACT's α, which has one of its own: as large as weights' usually are.
inline constexpr double kPactWeightDecay = 1e-4;

/// Values of a tensor that a thread takes as one piece, on any number of threads, so that sums are the same: enough to
/// pay for starting a thread, few enough to share a small layer.
inline constexpr std::int64_t kPiece = 1 << 15;

/// First values whose magnitudes are summed at a time: what that takes, 12 MiB, is little beside a network's pass.
inline constexpr std::int64_t kSummed = 1 << 20;

/// Values whose gradients are summed in float, by so many sums side by side: one alone could not be vectorized, and
/// longer sums would lose digits. The first is a multiple of the second.
inline constexpr std::int64_t kBlock = 1024;
inline constexpr int kLanes = 16;

}  // namespace bitplan::training_methods::tuning
