#pragma once

#include <vector>

namespace bitplan::statistics {

/// Mean of at least one finite value; not finite where the sum overflows.
double MeanOf(const std::vector<double>& values);

/// Standard deviation of at least two values, n − 1 in the denominator, by a second pass over their distances from the
/// mean: exact to rounding where these are small beside it. Not finite where a square overflows.
double StandardDeviation(const std::vector<double>& values);

}  // namespace bitplan::statistics
