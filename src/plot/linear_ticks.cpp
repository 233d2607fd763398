#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "tick_label.h"
#include "ticks.h"

namespace bitplan::plot {

namespace {

/// digit · 10^exponent, digit 1, 2 or 5.
struct Step {
  std::int64_t digit = 1;
  int exponent = 0;

  /// Rounded once only, so that ticks are the doubles nearest to their labels; `times` · 10^300 must not overflow.
  double Times(std::int64_t times) const {
    const auto multiple = static_cast<double>(times * digit);
    return exponent < 0 ? multiple / std::pow(10, -exponent) : multiple * std::pow(10, exponent);
  }

  Step Next() const { return digit == 1 ? Step{2, exponent} : digit == 2 ? Step{5, exponent} : Step{1, exponent + 1}; }
};

struct TickIndices {
  std::int64_t first = 0, last = 0;

  TickIndices(double low, double high, const Step& step)
      : first(static_cast<std::int64_t>(std::ceil(low / step.Times(1)))),
        last(static_cast<std::int64_t>(std::floor(high / step.Times(1)))) {}
};

/// Exponent of the factor that shortens labels, a multiple of 3; 0 where plain digits are short.
int FactorExponent(std::int64_t largest_multiple, int exponent) {
  if (largest_multiple == 0) return 0;
  const int magnitude = exponent + static_cast<int>(std::to_string(largest_multiple).size()) - 1;
  const int thousands = magnitude >= 0 ? magnitude / 3 : (magnitude - 2) / 3;
  return magnitude >= 5 || magnitude <= -4 ? 3 * thousands : 0;
}

}  // namespace

Ticks LinearTicks(double low, double high, int most) {
  // Begins at a step that leaves more than `most`.
  Step step{1, static_cast<int>(std::floor(std::log10((high - low) / most))) - 1};
  TickIndices indices(low, high, step);
  while (indices.last - indices.first + 1 > most) {
    step = step.Next();
    indices = TickIndices(low, high, step);
  }
  const std::int64_t largest = std::max(std::abs(indices.first), std::abs(indices.last)) * step.digit;
  const int factor = FactorExponent(largest, step.exponent);
  Ticks ticks;
  if (factor != 0) ticks.factor = "×" + PowerOfTen(factor);
  for (std::int64_t i = indices.first; i <= indices.last; ++i)
    ticks.ticks.push_back({step.Times(i), PlainNumber(i * step.digit, step.exponent - factor)});
  return ticks;
}

}  // namespace bitplan::plot
