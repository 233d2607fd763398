#include "number_option.h"

#include <cmath>

#include "bitplan/error.h"
#include "bitplan/format.h"

namespace bitplan::cli {

Allowed WholeFrom(std::int64_t least) {
  return {[=](double number) { return number >= static_cast<double>(least); },
          fmt::format("a whole number from {} on", least)};
}

Allowed WholeWithin(std::int64_t least, std::int64_t most) {
  return {[=](double number) { return number >= static_cast<double>(least) && number <= static_cast<double>(most); },
          fmt::format("a whole number from {} to {}", least, most)};
}

Allowed NumberFrom(double least) {
  return {[=](double number) { return number >= least && std::isfinite(number); },
          fmt::format("a number from {} on", least)};
}

Allowed NumberAbove(double bound) {
  return {[=](double number) { return number > bound && std::isfinite(number); },
          fmt::format("a number above {}", bound)};
}

Allowed NumberWithin(double least, double most) {
  return {[=](double number) { return number >= least && number <= most; },
          fmt::format("a number from {} to {}", least, most)};
}

Allowed NumberFromBelow(double least, double bound) {
  return {[=](double number) { return number >= least && number < bound; },
          fmt::format("a number from {} and below {}", least, bound)};
}

Allowed NumberAboveUpTo(double bound, double most) {
  return {[=](double number) { return number > bound && number <= most; },
          fmt::format("a number above {} and up to {}", bound, most)};
}

Allowed Width() {
  return {[](double number) { return IsWidth(static_cast<int>(number)); }, "bits: 1 to 8, 16 or 32"};
}

Allowed StageWidth() {
  return {[](double number) { return number > 1 && number < 32 && IsWidth(static_cast<int>(number)); },
          "bits: 2 to 8, or 16"};
}

Allowed NotNegative() {
  return {[](double) { return true; }, "a whole number that is not negative"};
}

Allowed Percent(bool none, bool all, const std::string& why) {
  return {[=](double percent) { return (none ? percent >= 0 : percent > 0) && (all ? percent <= 100 : percent < 100); },
          fmt::format("{} 0% and {} 100%{}{}", none ? "at least" : "more than", all ? "at most" : "less than",
                      why.empty() ? "" : ", ", why)};
}

void Require(const Allowed& allowed, const std::string& option, double number, const std::string& given) {
  if (!allowed.holds(number)) throw Error(fmt::format("--{} {}: expected {}", option, given, allowed.expected));
}

}  // namespace bitplan::cli
