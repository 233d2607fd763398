#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "bitplan/error.h"
#include "bitplan/statistics.h"
#include "check.h"
#include "moments.h"

namespace bitplan {

namespace {

using statistics::CheckPairs;
using statistics::CheckResult;
using statistics::CheckValues;
using statistics::MeanOf;

Estimate CheckedMean(std::string_view what, const std::vector<double>& values) {
  const double deviation = CheckResult(what, statistics::StandardDeviation(values));
  return {CheckResult(what, MeanOf(values)), deviation / std::sqrt(static_cast<double>(values.size()))};
}

}  // namespace

Estimate Mean(const std::vector<double>& values) {
  CheckValues("mean", values);
  return CheckedMean("mean", values);
}

Estimate PairedDifference(const std::vector<double>& a, const std::vector<double>& b) {
  CheckPairs("paired difference", a, b);
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  return CheckedMean("paired difference", differences);
}

double GeometricMean(const std::vector<double>& values) {
  CheckValues("geometric mean", values, 1);
  std::vector<double> logarithms;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] <= 0)
      throw Error(fmt::format("geometric mean: value {} is {}; expected a number above 0", i, values[i]));
    logarithms.push_back(std::log(values[i]));
  }
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return std::clamp(std::exp(MeanOf(logarithms)), *least, *most);  // rounding may leave the range, or a double's
}

}  // namespace bitplan
