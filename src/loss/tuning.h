#pragma once

#include <cstdint>

namespace bitplan::loss::tuning {

/// Of whose outputs variances are taken: enough for a weight, few enough to cost nothing beside an analysis.
inline constexpr std::int64_t kSamplesOfVariance = 32;

/// An output whose variance is this share of its mean square is constant but for rounding.
inline constexpr double kConstantOutput = 1e-9;

}  // namespace bitplan::loss::tuning
