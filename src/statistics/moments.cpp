#include "moments.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitplan::statistics {

double MeanOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double StandardDeviation(const std::vector<double>& values) {
  const double mean = MeanOf(values);
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value - mean;
    squares += (value - mean) * (value - mean);
  }
  const auto n = static_cast<double>(values.size());
  // The sum is 0 but for the mean's rounding, which this takes out again (Chan, Golub and LeVeque 1983, the corrected
  // two-pass algorithm).
  return std::sqrt(std::max(squares - sum * sum / n, 0.0) / (n - 1));
}

}  // namespace bitplan::statistics
