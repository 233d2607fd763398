#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::network::tuning {

/// How far a sample's output may differ, relative to its size, by what stands beside it in a batch: kernels for other
/// sizes add up in another order.
inline constexpr double kSameOutput = 1e-3;

/// The same where the model itself rounds: a last digit that differs may be a step of a grid.
inline constexpr double kSameRoundedOutput = 0.1;

/// Sizes of a batch that a graph may have been made for; larger numbers in a graph are not of samples.
inline constexpr std::int64_t kMostFixedBatch = 256;

/// A weight that is computed from parameters and has more than so many times their elements is left to the forward: an
/// expanded vector would be written out.
inline constexpr std::int64_t kMostGrowthOfWeights = 2;

}  // namespace bitplan::network::tuning
