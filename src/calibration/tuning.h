#pragma once

#include <cstddef>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::calibration::tuning {

/// Below so many values sorting by comparing is faster than by digits; these are of 11 bits, so that 32 bits take three
/// passes whose counters stay in the first cache.
inline constexpr std::size_t kFewToSort = 512;
inline constexpr int kBitsOfDigit = 11;

/// Bins that give single weights a density, for the entropy calibrator; as many as TensorRT's has.
inline constexpr std::size_t kDivergenceBins = 2048;

// The search for the range of least error: a scan of clips, then refinements.

/// Clips below this share of the whole range are not tried: they lose nearly all that a tensor says.
inline constexpr double kNarrowestClip = 0.02;

/// Steps of a refinement in one of the scan before it, and how often one moves at the most before the next, finer one.
inline constexpr int kStepsInOne = 8, kMostMoves = 8;

/// Turns of rounding and fitting the scale (Lloyd) at the most; they end at the first that lowers the error no more.
inline constexpr int kMostTurns = 16;

/// Halvings of the power of two that covers the range which are tried; finer ones would clip at 1/512 of it and less.
inline constexpr int kPowersOfTwoTried = 8;

// Clips of a known distribution: where a derivative passes 0, by halving.

/// More than the bits of a double, so that the last ones change nothing; and beyond so many deviations no width clips.
inline constexpr int kHalvings = 100;
inline constexpr double kFarthestClip = 64;

}  // namespace bitplan::calibration::tuning
