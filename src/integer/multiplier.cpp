#include "multiplier.h"

#include <algorithm>
#include <cmath>

namespace bitplan::integer {

namespace {

__extension__ typedef __int128 Wide;

constexpr std::int64_t kLargest = std::int64_t{1} << 62;

/// q · value / 2^shift of products below 2^63, 1 ≤ shift ≤ 62.
std::int64_t Shifted(std::int64_t product, int shift) {
  const std::int64_t below = product >> shift;
  const std::int64_t rest = product - (below << shift), half = std::int64_t{1} << (shift - 1);
  return below + static_cast<std::int64_t>(rest > half || (rest == half && (below & 1) != 0));
}

std::int64_t ShiftedWide(Wide product, int shift) {
  constexpr int kBits = 100;  // |product| < 2^93
  if (shift > kBits) return 0;
  if (shift <= 0) {
    const Wide limit = Wide{kLargest} >> std::min(-shift, 63);
    if (product > limit || product < -limit) return product > 0 ? kLargest : -kLargest;
    return static_cast<std::int64_t>(product * (Wide{1} << -shift));
  }
  const Wide below = product >> shift;
  const Wide rest = product - below * (Wide{1} << shift), half = Wide{1} << (shift - 1);
  const Wide rounded = below + static_cast<Wide>(rest > half || (rest == half && (below & 1) != 0));
  return static_cast<std::int64_t>(std::clamp(rounded, -Wide{kLargest}, Wide{kLargest}));
}

}  // namespace

Multiplier MultiplierOf(double number, int bits) {
  if (number <= 0) return {};
  int exponent = 0;
  const double fraction = std::frexp(number, &exponent);  // in [½, 1)
  std::int64_t value = std::llround(std::ldexp(fraction, bits));
  if (value == std::int64_t{1} << bits) {
    value /= 2;
    ++exponent;
  }
  return {value, bits - exponent};
}

std::int64_t Multiplied(std::int64_t q, Multiplier multiplier) {
  constexpr std::int64_t kNarrow = std::int64_t{1} << 31;
  if (q == 0 || multiplier.value == 0) return 0;
  if (q >= -kNarrow && q < kNarrow && multiplier.shift >= 1 && multiplier.shift <= 62)
    return Shifted(q * multiplier.value, multiplier.shift);
  return ShiftedWide(Wide{q} * multiplier.value, multiplier.shift);
}

}  // namespace bitplan::integer
