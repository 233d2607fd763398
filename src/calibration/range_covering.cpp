#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/codebook.h"
#include "calibration/range.h"

namespace bitplan::calibration {

namespace {

constexpr int kLeastExponent = -126, kMostExponent = 127;

double PowerOfTwoScale(int exponent) { return std::ldexp(1.0, std::clamp(exponent, kLeastExponent, kMostExponent)); }

/// The least whole e with 2^e ≥ scale.
int ExponentCovering(double scale) {
  int exponent = 0;
  const double mantissa = std::frexp(scale, &exponent);
  return mantissa == 0.5 ? exponent - 1 : exponent;
}

/// Of integers with zero point 0.
double SymmetricScale(double low, double high, const Format& format) {
  const auto qmin = static_cast<double>(format.QuantMin()), qmax = static_cast<double>(format.QuantMax());
  return std::max(qmax > 0 ? high / qmax : 0.0, qmin < 0 ? low / qmin : 0.0);
}

QuantizationRange AsymmetricCovering(double low, double high, double qmax) {
  // One step has an end for one side alone.
  if (qmax == 1)
    return high >= -low ? QuantizationRange{Float32Scale(high), 0} : QuantizationRange{Float32Scale(-low), 1};
  // The zero point is an integer, so one end moves outward a little: the scale grows until both ends are covered.
  const auto scale_at = [&](double zero_point) {
    double scale = 0;
    if (low < 0) scale = std::max(scale, -low / zero_point);
    if (high > 0) scale = std::max(scale, high / (qmax - zero_point));
    return scale;
  };
  const double ideal = std::clamp(-low / ((high - low) / qmax), low < 0 ? 1.0 : 0.0, high > 0 ? qmax - 1 : qmax);
  const double below = std::floor(ideal), above = std::ceil(ideal);
  const double zero_point = scale_at(below) < scale_at(above) ? below : above;
  return {Float32Scale(scale_at(zero_point)), static_cast<std::int64_t>(zero_point)};
}

/// The exponent of the largest power of two on the grid.
int LargestExponent(const Format& format) {
  return format.IsInteger() ? std::ilogb(std::max<double>(1, static_cast<double>(format.QuantMax())))
                            : std::ilogb(LargestLevel(format.type));
}

double SymmetricCoveringPower(double low, double high, const Format& format) {
  const double scale = SymmetricScale(low, high, format);
  return scale > 0 ? PowerOfTwoScale(ExponentCovering(scale)) : 1;
}

QuantizationRange PowerOfTwoCovering(double low, double high, const Format& format) {
  const double magnitude = std::max(-low, high);
  if (format.granularity == Granularity::Block)
    return {PowerOfTwoScale(std::ilogb(magnitude) - LargestExponent(format)), 0};
  if (format.type == NumberType::PowerOfTwo) return {PowerOfTwoScale(std::ilogb(4 * magnitude / 3)), 0};
  if (!format.IsInteger()) return {PowerOfTwoScale(ExponentCovering(magnitude / LargestLevel(format.type))), 0};
  if (format.scheme != Scheme::Asymmetric) return {SymmetricCoveringPower(low, high, format), 0};
  const auto qmax = static_cast<double>(format.QuantMax());
  if (qmax == 1) {
    const QuantizationRange one_side = AsymmetricCovering(low, high, qmax);
    return {PowerOfTwoScale(ExponentCovering(one_side.scale)), one_side.zero_point};
  }
  int exponent = ExponentCovering((high - low) / qmax);
  while (exponent < kMostExponent &&
         std::ceil(std::ldexp(-low, -exponent)) + std::ceil(std::ldexp(high, -exponent)) > qmax)
    ++exponent;
  return {PowerOfTwoScale(exponent), static_cast<std::int64_t>(std::min(qmax, std::ceil(std::ldexp(-low, -exponent))))};
}

}  // namespace

double Float32Scale(double scale) {
  constexpr double kLeast = std::numeric_limits<float>::min(), kMost = std::numeric_limits<float>::max();
  return static_cast<double>(static_cast<float>(std::clamp(scale, kLeast, kMost)));
}

QuantizationRange WithItsSign(const Format& format, double low,
                              const std::function<QuantizationRange(const Format&)>& range_of) {
  Format fixed = format;
  fixed.scheme = low < 0 ? Scheme::Symmetric : Scheme::Unsigned;
  QuantizationRange range = range_of(fixed);
  range.zero_point -= fixed.QuantMin();
  return range;
}

QuantizationRange RangeCovering(double low, double high, const Format& format) {
  if (format.IsInteger() && format.scheme == Scheme::AutoSigned)
    return WithItsSign(format, low, [&](const Format& fixed) { return RangeCovering(low, high, fixed); });
  low = format.scheme == Scheme::Unsigned && format.IsInteger() ? 0 : std::min(low, 0.0);
  high = std::max(high, 0.0);
  if (low == 0 && high == 0) return {1, 0};
  if (format.scale_type == ScaleType::PowerOfTwo) return PowerOfTwoCovering(low, high, format);
  if (!format.IsInteger()) return {Float32Scale(std::max(high, -low) / LargestLevel(format.type)), 0};
  if (format.scheme == Scheme::Asymmetric) return AsymmetricCovering(low, high, static_cast<double>(format.QuantMax()));
  const double scale = SymmetricScale(low, high, format);
  return {scale > 0 ? Float32Scale(scale) : 1, 0};
}

}  // namespace bitplan::calibration
