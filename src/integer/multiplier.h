#pragma once

#include <cstdint>

namespace bitplan::integer {

/// A positive real number as an integer over a power of two: value / 2^shift.
struct Multiplier {
  std::int64_t value = 0;
  int shift = 0;
};

/// The nearest one with a value of `bits` bits, in [2^{bits−1}, 2^bits). Its relative error is at most 2^{−bits}. 0
/// stays 0.
Multiplier MultiplierOf(double number, int bits);

/// round(q · multiplier), of two integers as near the even one: one product, one shift, one rounding. |q| < 2^62;
/// results beyond ±2^62 are cut there.
std::int64_t Multiplied(std::int64_t q, Multiplier multiplier);

}  // namespace bitplan::integer
