#pragma once

#include <cstdint>
#include <string>

namespace bitplan::plot {

/// "10⁻³"
std::string PowerOfTen(int exponent);

/// multiple · 10^exponent in plain digits, "−0.05", without an exponent.
std::string PlainNumber(std::int64_t multiple, int exponent);

}  // namespace bitplan::plot
