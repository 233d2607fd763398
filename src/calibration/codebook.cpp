#include "calibration/codebook.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace bitplan::calibration {

namespace {

/// Magnitudes by code: numbers without a sign, from 0 on.
using Magnitudes = std::vector<double>;

/// `largest`: the last code's magnitude; what lies beyond stands for infinities and NaN.
Magnitudes Minifloat(MinifloatBits bits, double largest) {
  const int bias = bits.Bias(), steps = 1 << bits.mantissa;
  Magnitudes magnitudes;
  for (int code = 0; magnitudes.empty() || magnitudes.back() < largest; ++code) {
    const int exponent = code / steps, mantissa = code % steps;
    magnitudes.push_back(exponent == 0 ? std::ldexp(mantissa, 1 - bias - bits.mantissa)
                                       : std::ldexp(steps + mantissa, exponent - bias - bits.mantissa));
  }
  return magnitudes;
}

Magnitudes PowersOfTwo(int bits) {
  const int count = (1 << (bits - 1)) - 1;
  Magnitudes magnitudes{0};
  for (int code = 1; code <= count; ++code) magnitudes.push_back(std::ldexp(1.0, code - count));
  return magnitudes;
}

/// Both signs of each magnitude; the sign bit is the highest of `bits`.
Codebook WithSigns(const Magnitudes& magnitudes, int bits) {
  Codebook book;
  const auto add = [&](double level, std::size_t code) {
    book.levels.push_back(level);
    book.codes.push_back(static_cast<std::uint8_t>(code));
  };
  for (std::size_t code = magnitudes.size(); code-- > 1;) add(-magnitudes[code], code | (std::size_t{1} << (bits - 1)));
  for (std::size_t code = 0; code < magnitudes.size(); ++code) add(magnitudes[code], code);
  return book;
}

Codebook Numbered(std::vector<double> levels) {
  Codebook book;
  for (std::size_t i = 0; i < levels.size(); ++i) book.codes.push_back(static_cast<std::uint8_t>(i));
  book.levels = std::move(levels);
  return book;
}

/// Dettmers et al. 2023, appendix E; each is a float32.
std::vector<double> NormalFloat() {
  return {-1.0,
          -0.6961928009986877,
          -0.5250730514526367,
          -0.39491748809814453,
          -0.28444138169288635,
          -0.18477343022823334,
          -0.09105003625154495,
          0.0,
          0.07958029955625534,
          0.16093020141124725,
          0.24611230194568634,
          0.33791524171829224,
          0.44070982933044434,
          0.5626170039176941,
          0.7229568362236023,
          1.0};
}

Codebook LevelsAndCodes(NumberType type, int bits) {
  switch (type) {
    case NumberType::Binary:
      return Numbered({-1, 1});
    case NumberType::Ternary:
      return Numbered({-1, 0, 1});
    case NumberType::PowerOfTwo:
      return WithSigns(PowersOfTwo(bits), bits);
    case NumberType::E4M3:
    case NumberType::E5M2:
    case NumberType::E2M1:
      return WithSigns(Minifloat(*MinifloatBitsOf(type), LargestLevel(type)), bits);
    case NumberType::Nf4:
      return Numbered(NormalFloat());
    case NumberType::Integer:
    case NumberType::Float16:
    case NumberType::BFloat16:
    case NumberType::Float32:
      break;
  }
  throw std::logic_error("a number type without a codebook");
}

}  // namespace

std::optional<MinifloatBits> MinifloatBitsOf(NumberType type) {
  switch (type) {
    case NumberType::E4M3:
      return MinifloatBits{4, 3};
    case NumberType::E5M2:
      return MinifloatBits{5, 2};
    case NumberType::E2M1:
      return MinifloatBits{2, 1};
    case NumberType::Integer:
    case NumberType::Binary:
    case NumberType::Ternary:
    case NumberType::PowerOfTwo:
    case NumberType::Nf4:
    case NumberType::Float16:
    case NumberType::BFloat16:
    case NumberType::Float32:
      break;
  }
  return std::nullopt;
}

double LargestLevel(NumberType type) {
  switch (type) {
    case NumberType::E4M3:
      return 448;
    case NumberType::E5M2:
      return 57344;
    case NumberType::E2M1:
      return 6;
    case NumberType::Binary:
    case NumberType::Ternary:
    case NumberType::PowerOfTwo:
    case NumberType::Nf4:
      return 1;
    case NumberType::Integer:
    case NumberType::Float16:
    case NumberType::BFloat16:
    case NumberType::Float32:
      break;
  }
  throw std::logic_error("a number type without a codebook has no largest level");
}

Codebook CodebookOf(NumberType type, int bits) {
  Codebook book = LevelsAndCodes(type, bits);
  for (std::size_t i = 0; i + 1 < book.levels.size(); ++i)
    book.tie_goes_up.push_back(type == NumberType::Binary || book.codes[i] % 2 == 1);
  return book;
}

template <typename Float>
std::vector<Float> Codebook::Boundaries() const {
  std::vector<Float> boundaries;
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    const auto middle = static_cast<Float>(Midpoint(i));
    boundaries.push_back(tie_goes_up[i] ? std::nextafter(middle, -std::numeric_limits<Float>::infinity()) : middle);
  }
  return boundaries;
}

template std::vector<float> Codebook::Boundaries<float>() const;
template std::vector<double> Codebook::Boundaries<double>() const;

}  // namespace bitplan::calibration
