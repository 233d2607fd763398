#include "check.h"

#include <fmt/format.h>

#include <cmath>

#include "bitplan/error.h"

namespace bitplan::statistics {

void CheckValues(std::string_view what, const std::vector<double>& values, std::size_t least) {
  if (values.size() < least)
    throw Error(fmt::format("{}: {} values given; expected at least {}", what, values.size(), least));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(fmt::format("{}: value {} is {}; expected a finite number", what, i, values[i]));
}

void CheckPairs(std::string_view what, const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size())
    throw Error(fmt::format("{}: {} and {} values given; expected as many of each", what, x.size(), y.size()));
  CheckValues(what, x);
  CheckValues(what, y);
}

double CheckResult(std::string_view what, double result) {
  if (!std::isfinite(result)) throw Error(fmt::format("{}: the values are too large: the result overflows", what));
  return result;
}

}  // namespace bitplan::statistics
