#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::process::tuning {

/// Of a memory limit, what LibTorch's kernels may set aside for themselves, which no plan sees.
inline constexpr std::int64_t kKernels = std::int64_t{20} << 20;

/// What a refusal that does not know what would do names at least: of little, twice as much would often be too little.
inline constexpr std::int64_t kLeastMore = std::int64_t{64} << 20;

/// The part of a heap, 1 / 5, that falls between activations that come and go.
inline constexpr std::int64_t kHoles = 5;

/// What the rounding of blocks leaves of the samples that a trial of few promises.
inline constexpr double kPromiseKept = 0.9;

}  // namespace bitplan::process::tuning
