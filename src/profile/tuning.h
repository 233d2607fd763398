#pragma once

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::profile::tuning {

/// Milliseconds of one repeat of a kernel, far above what the clock and its reading take.
inline constexpr double kLeastOfRepeat = 0.2;

}  // namespace bitplan::profile::tuning
