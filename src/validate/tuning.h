#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::validate::tuning {

/// Plans that are measured side by side, with one pass of the float network: with so many its share of the time is
/// below a tenth.
inline constexpr std::int64_t kPlansTogether = 16;

}  // namespace bitplan::validate::tuning
