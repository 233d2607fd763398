#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitplan {

/// The widths there are: 2 … 8 bits for integers, 16 and 32 for float16 and float32.
constexpr bool IsWidth(std::int64_t bits) { return (bits >= 2 && bits <= 8) || bits == 16 || bits == 32; }

/// Where zero sits on the integer grid.
enum class Scheme {
  Symmetric,   ///< grid −2^{b−1} … 2^{b−1}−1, zero point 0
  Asymmetric,  ///< grid 0 … 2^b−1 with an integer zero point, so that 0.0 is exact
};

/// How many values share one scale.
enum class Granularity {
  Tensor,   ///< one scale for the whole tensor
  Channel,  ///< one scale per output channel (weights only)
};

/// How the range of values that the grid covers is chosen.
enum class Calibrator {
  Max,         ///< the smallest and largest value seen
  Percentile,  ///< the central `percentile` per cent of the values seen
  Mse,         ///< the range with the least squared rounding and clipping error
  Entropy,     ///< the range with the least KL divergence between the histograms before and after (Migacz, GTC 2017)
};

/// A number format and how its range is found: all that a quantizer needs to know about one tensor.
/// Integer values are q = clamp(round_half_even(x / s) + z, qmin, qmax), and stand for x̂ = s (q − z).
struct Format {
  int bits = 32;                                 ///< 2 … 8 integers, 16 and 32 float16 and float32
  Scheme scheme = Scheme::Symmetric;             ///< of integer formats
  Granularity granularity = Granularity::Channel;  ///< of integer formats
  bool narrow_range = false;                     ///< symmetric only: drop −2^{b−1}, for hardware that negates weights
  Calibrator calibrator = Calibrator::Mse;       ///< of integer formats
  double percentile = 99.99;                     ///< of Calibrator::Percentile, in (0, 100]

  bool IsInteger() const { return bits <= 8; }
  std::int64_t QuantMin() const;  ///< smallest integer of the grid; IsInteger() only
  std::int64_t QuantMax() const;  ///< largest integer of the grid; IsInteger() only
  Format WithBits(int new_bits) const;

  /// Throws Error naming the field, its value and the rule when a field is outside its range.
  void Validate() const;

  bool operator==(const Format&) const = default;
};

/// The defaults: weights symmetric per channel, activations asymmetric per tensor, both with least squared error.
Format DefaultWeightFormat();
Format DefaultActivationFormat();

/// Names used in files and on the command line: "symmetric", "channel", "mse", …; the parsers throw Error listing them.
std::string_view ToString(Scheme scheme);
std::string_view ToString(Granularity granularity);
std::string_view ToString(Calibrator calibrator);
Scheme ParseScheme(std::string_view text);
Granularity ParseGranularity(std::string_view text);
Calibrator ParseCalibrator(std::string_view text);

}  // namespace bitplan
