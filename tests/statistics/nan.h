#pragma once

#include <limits>

namespace bitplan {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace bitplan
