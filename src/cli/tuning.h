#pragma once

#include <chrono>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::cli::tuning {

/// Samples that are kept from the analysis and measure plans: as many as the analysis has in
/// benchmarks/plan_quality.cpp.
inline constexpr std::int64_t kHeldOut = 512;

/// Samples of a spectrum, whose products with the curvature take a pass each.
inline constexpr std::int64_t kSpectrumSamples = 128;

/// Eigenvalues up to this share of the largest in magnitude are told as near zero.
inline constexpr double kNearZero = 0.01;

/// Between lines of progress where stderr is no terminal: a log of hours stays short, and tells within a minute.
inline constexpr auto kEachLine = std::chrono::minutes(1);

// Of --memory.

/// LibTorch's code and tables, and ours, as measured at the start of a command.
inline constexpr std::int64_t kProgramBytes = std::int64_t{160} << 20;

/// Below what is left after program, network and data no pass is tried.
inline constexpr std::int64_t kLeastWorkBytes = std::int64_t{32} << 20;

/// One part in so many of the limit is memory that is freed and kept for what comes next, but no more than the bytes.
inline constexpr std::int64_t kShareKept = 16, kMostBytesKept = std::int64_t{512} << 20;

}  // namespace bitplan::cli::tuning
