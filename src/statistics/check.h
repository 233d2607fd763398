#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bitplan::statistics {

/// Throws Error, naming `what`, unless there are at least `least` values and all are finite.
void CheckValues(std::string_view what, const std::vector<double>& values, std::size_t least = 2);

/// Throws Error unless x and y are checked values, at least two, as many of one as of the other.
void CheckPairs(std::string_view what, const std::vector<double>& x, const std::vector<double>& y);

/// Returns `result`; throws Error, naming `what`, when it overflowed.
double CheckResult(std::string_view what, double result);

}  // namespace bitplan::statistics
