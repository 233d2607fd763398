#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::cost::tuning {

/// Choices that one group of a problem may have; beyond, its layers share the weight width too. What searches hold
/// grows with the choices, and groups of tied layers would have the product of all their widths.
inline constexpr std::size_t kMostChoices = 4096;

/// Figures from which on their spread is estimated, to shrink them by; below, there is no spread to speak of.
inline constexpr std::size_t kFewestToShrink = 3;

/// Relative difference of predicted losses that says nothing: plans that differ by less count as the same when samples
/// are drawn anew, and no draw is searched further than half of it.
inline constexpr double kEqualLosses = 1e-4;

/// Nodes of a joint problem's tree in one draw: bounds the time of a draw, which starts from
/// the plan at hand.
inline constexpr std::int64_t kMostNodesOfDraw = 200;

/// Squared standard error below which a log ratio counts as exact: a mean weighted by errors would be that one alone.
inline constexpr double kLeastVariance = 1e-12;

}  // namespace bitplan::cost::tuning
