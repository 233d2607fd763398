#pragma once

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::evaluate::tuning {

/// Runs by turns whose median times are compared: an odd number, of which a few may be disturbed.
inline constexpr int kTimedRuns = 7;

}  // namespace bitplan::evaluate::tuning
