#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace bitplan {

/// The widths there are, ascending. Which of them a number type has is another matter: see Format::HasWidth.
inline constexpr std::array kAllWidths = {1, 2, 3, 4, 5, 6, 7, 8, 16, 32};
constexpr bool IsWidth(std::int64_t bits) {
  return std::find(kAllWidths.begin(), kAllWidths.end(), bits) != kAllWidths.end();
}

/// What the codes of a number format stand for, at scale 1.
enum class NumberType {
  Integer,     ///< 1 … 8 or 16 bits, see Scheme
  Binary,      ///< 1 bit: −1, 1; the scale of a weight is mean |w| (BWN, Rastegari et al. 2016)
  Ternary,     ///< 2 bits: −1, 0, 1; 0 below 0.7 · mean |w|, the scale is mean |w| of the rest (TWN, Li et al. 2016);
               ///< weights only
  PowerOfTwo,  ///< 2 … 8 bits: 0 and ±2^{−i}, i = 0 … 2^{b−1} − 2; scales are powers of two (as in INQ, Zhou et al.
               ///< 2017)
  E4M3,      ///< 8 bits: the floating-point format of the Open Compute Project with largest value 448 and no infinities
  E5M2,      ///< 8 bits: the one with largest value 57344
  E2M1,      ///< 4 bits: 0, ½, 1, 1½, 2, 3, 4, 6 and their negatives
  Nf4,       ///< 4 bits: 16 quantiles of a normal distribution from −1 to 1 (QLoRA, Dettmers et al. 2023); weights only
  Float16,   ///< 16 bits
  BFloat16,  ///< 16 bits
  Float32,   ///< 32 bits
};

/// Where zero sits on the integer grid.
enum class Scheme {
  Symmetric,   ///< grid −2^{b−1} … 2^{b−1}−1, zero point 0
  Asymmetric,  ///< grid 0 … 2^b−1 with an integer zero point, so that 0.0 is exact
  Unsigned,    ///< grid 0 … 2^b−1, zero point 0: negative values become 0
  AutoSigned,  ///< unsigned where calibration saw nothing below 0, symmetric elsewhere, as a grid 0 … 2^b−1 with the
               ///< zero point 0 or 2^{b−1} (activations only)
};

/// How many values share one scale. Groups and blocks run along a channel's values in row-major order of the other
/// axes, the inputs first.
enum class Granularity {
  Tensor,   ///< one scale for the whole tensor
  Channel,  ///< one scale per output channel (weights only)
  Group,    ///< one per `group_size` values of a channel, which it must divide (weights only)
  Block,    ///< the same, but a channel's last block may be shorter (weights only)
};

/// What numbers scales are.
enum class ScaleType {
  Float32,
  PowerOfTwo,       ///< 2^k, k = −126 … 127; of blocks as in the Open Compute Project's MX formats (2023)
  DoubleQuantized,  ///< E4M3 in blocks of 256, after their mean was taken off (QLoRA); of groups and blocks
};

/// How the range of values that the grid covers is chosen. Binary and ternary formats choose their scales themselves.
enum class Calibrator {
  Max,         ///< the smallest and largest value seen
  Percentile,  ///< the central `percentile` per cent of the values seen
  Mse,         ///< the range with the least squared rounding and clipping error
  Entropy,     ///< the range with the least KL divergence between the histograms before and after (Migacz, GTC 2017);
               ///< integers to 8 bits
  AverageMax,  ///< the means over batches of a batch's smallest and largest value
  MovingAverage,  ///< their exponential moving averages
  Deviations,     ///< mean ± `deviations` standard deviations
  Laplace,  ///< the least expected squared error if the values are Laplace distributed (ACIQ, Banner et al. 2019);
            ///< integers
  Gauss,    ///< the same if they are normally distributed
  Dynamic,  ///< the smallest and largest value of each batch, at run time (activations only)
};

/// A number format and how its range is found: all that a quantizer needs to know about one tensor.
/// Integer values are q = clamp(round_half_even(x / s) + z, qmin, qmax), and stand for x̂ = s (q − z). Values of other
/// types with scales are x̂ = s · the level that is nearest to x / s, of two as near the one with the even code.
struct Format {
  int bits = 8;  ///< one of the widths of `type`
  NumberType type = NumberType::Integer;
  Scheme scheme = Scheme::Symmetric;               ///< of integers
  Granularity granularity = Granularity::Channel;  ///< of types with scales
  int group_size = 0;                              ///< of groups and blocks, ≥ 1; 0 otherwise
  ScaleType scale_type = ScaleType::Float32;       ///< of types with scales
  bool narrow_range = false;                       ///< symmetric only: drop −2^{b−1}, for hardware that negates weights
  bool reduce_range =
      false;  ///< integers on the grid of one bit less, so that sums of products of pairs fit 16 bits; from 2 bits
  Calibrator calibrator = Calibrator::Mse;  ///< of types with scales
  double percentile = 99.99;                ///< of Calibrator::Percentile, in (0, 100]
  double deviations = 3;                    ///< of Calibrator::Deviations, > 0

  bool IsInteger() const { return type == NumberType::Integer; }
  bool HasScale() const;  ///< of all types but float16, bfloat16 and float32
  bool HasZeroPoint() const {
    return IsInteger() && (scheme == Scheme::Asymmetric || scheme == Scheme::AutoSigned);
  }  ///< one that need not be 0
  bool InGroups() const { return granularity == Granularity::Group || granularity == Granularity::Block; }
  std::int64_t QuantMin() const;  ///< smallest integer of the grid; IsInteger() only
  std::int64_t QuantMax() const;  ///< largest integer of the grid; IsInteger() only

  /// The same kind of format with another width: 16 and 32 are float16 and float32 whatever the type was, and from
  /// these to others it is integers.
  Format WithBits(int new_bits) const;

  /// Whether Validate accepts WithBits(new_bits).
  bool HasWidth(int new_bits) const;

  /// Throws Error naming the field, its value and the rule when a field is outside its range.
  void Validate() const;
  void ValidateForActivations() const;  ///< the same, with the rules of activations

  bool operator==(const Format&) const = default;
};

/// Scale and zero point of an activation site.
struct ActivationRange {
  double scale = 1;
  std::int64_t zero_point = 0;
  double offset = 0;  ///< taken off before rounding and not added again: x̂ = s (q(x − offset) − z), as learned
                      ///< intervals (QIL) have it

  bool operator==(const ActivationRange&) const = default;
};

/// The defaults: weights symmetric per channel, activations asymmetric per tensor, both integers with least squared
/// error.
Format DefaultWeightFormat();
Format DefaultActivationFormat();

/// The width of a type that has a single one: 8 of E4M3, 4 of NF4, 1 of binary, …; 0 of others.
int OnlyWidth(NumberType type);

/// Names used in files and on the command line: "integer", "symmetric", "channel", "mse", …; the parsers throw Error
/// listing them.
std::string_view ToString(NumberType type);
std::string_view ToString(Scheme scheme);
std::string_view ToString(Granularity granularity);
std::string_view ToString(ScaleType scale_type);
std::string_view ToString(Calibrator calibrator);
NumberType ParseNumberType(std::string_view text);
Scheme ParseScheme(std::string_view text);
Granularity ParseGranularity(std::string_view text);
ScaleType ParseScaleType(std::string_view text);
Calibrator ParseCalibrator(std::string_view text);

}  // namespace bitplan
