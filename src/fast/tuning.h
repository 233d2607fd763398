#pragma once

#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::fast::tuning {

/// Values that a thread takes at the least: below, starting it takes longer (benchmarks/fast.cpp).
inline constexpr std::int64_t kValuesOfAThread = 1 << 15;

}  // namespace bitplan::fast::tuning
