#pragma once

#include <random>

namespace bitplan::statistics {

/// Uniform in (0, 1). std::uniform_real_distribution differs between standard libraries.
inline double DrawUniform(std::mt19937_64& random) { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; }

}  // namespace bitplan::statistics
