#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/format.h"

namespace bitplan::calibration {

/// What the codes of a format that is not of integers stand for, at scale 1.
struct Codebook {
  std::vector<double> levels;       ///< ascending, each a float32; without −0, infinities and NaN
  std::vector<std::uint8_t> codes;  ///< of each level: its bit pattern, in the lowest bits
  std::vector<bool>
      tie_goes_up;  ///< of each two neighbors: where a value halfway between them goes; up means the larger

  double Midpoint(std::size_t i) const { return (levels[i] + levels[i + 1]) / 2; }

  /// One less than there are levels: a number lies at the level of how many of these are smaller. Of Float, float or
  /// double.
  template <typename Float>
  std::vector<Float> Boundaries() const;
};

/// Minifloats are sign, exponent, mantissa; powers of two a sign and 0 for zero, 1 for the smallest magnitude, …; the
/// rest are numbered upward from 0. Of two neighbors, a value halfway goes to the even code; a binary 0 becomes 1.
/// `type` has scales and is not Integer. `bits`: of powers of two.
Codebook CodebookOf(NumberType type, int bits);

/// How the bits of a floating-point format are shared out, beside the sign.
struct MinifloatBits {
  int exponent = 0, mantissa = 0;

  int Bias() const { return (1 << (exponent - 1)) - 1; }  ///< of the exponent
};

/// Nothing for types that are not floating-point formats of few bits.
std::optional<MinifloatBits> MinifloatBitsOf(NumberType type);

/// The largest level of a type that has scales and is not Integer.
double LargestLevel(NumberType type);

}  // namespace bitplan::calibration
