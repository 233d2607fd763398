// Every format against a slow model in double precision that is written from the formats' definitions.

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <optional>
#include <ostream>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "calibration/normal_float.h"
#include "quantize/networks.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {
namespace {

/// What a code of sign, exponent and mantissa stands for; nothing for infinities and NaN.
std::optional<double> Minifloat(int code, int exponent_bits, int mantissa_bits, bool infinities, bool nan_at_end) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int mantissa = code & ((1 << mantissa_bits) - 1);
  const int exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double sign = (code >> (exponent_bits + mantissa_bits)) != 0 ? -1 : 1;
  const bool last = exponent == (1 << exponent_bits) - 1;
  if (last && infinities) return std::nullopt;
  if (last && nan_at_end && mantissa == (1 << mantissa_bits) - 1) return std::nullopt;
  const double fraction = static_cast<double>(mantissa) / (1 << mantissa_bits);
  return sign * (exponent == 0 ? std::exp2(1 - bias) * fraction : std::exp2(exponent - bias) * (1 + fraction));
}

/// What a code stands for at scale 1 and zero point 0, by definition.
std::optional<double> LevelOf(const Format& format, int code) {
  switch (format.type) {
    case NumberType::E4M3:
      return Minifloat(code, 4, 3, false, true);
    case NumberType::E5M2:
      return Minifloat(code, 5, 2, true, false);
    case NumberType::E2M1:
      return Minifloat(code, 2, 1, false, false);
    case NumberType::PowerOfTwo: {
      const int magnitude = code & ((1 << (format.bits - 1)) - 1);
      const double sign = code >> (format.bits - 1) != 0 ? -1 : 1;
      return magnitude == 0 ? sign * 0.0 : sign * std::exp2(magnitude - ((1 << (format.bits - 1)) - 1));
    }
    case NumberType::Binary:
      return 2 * code - 1;
    case NumberType::Ternary:
      return code < 3 ? std::optional<double>(code - 1) : std::nullopt;
    default: {
      static const std::vector<double> kNf4 = NormalFloatLevels();
      return kNf4[static_cast<std::size_t>(code)];
    }
  }
}

struct Nearest {
  int code = 0;
  double level = 0, half_step = 0;  // to the neighbor on the side of x
  bool inside = false;
};

/// The level nearest to x; of two as near, the one with the even code.
Nearest NearestLevel(const Format& format, double x) {
  std::optional<Nearest> best;
  double low = INFINITY, high = -INFINITY;
  for (int code = 0; code < 1 << format.bits; ++code) {
    const auto level = LevelOf(format, code);
    if (!level || (*level == 0 && std::signbit(*level))) continue;
    low = std::min(low, *level);
    high = std::max(high, *level);
    const double distance = std::abs(x - *level);
    const double least = best ? std::abs(x - best->level) : INFINITY;
    if (distance < least || (distance == least && code % 2 == 0)) best = Nearest{code, *level, 0, false};
  }
  best->inside = low <= x && x <= high;
  double neighbor = INFINITY;  // the nearest on the other side of x
  for (int code = 0; code < 1 << format.bits; ++code)
    if (const auto level = LevelOf(format, code);
        level && (x - best->level) * (*level - x) >= 0 && *level != best->level)
      neighbor = std::min(neighbor, std::abs(*level - best->level));
  best->half_step = neighbor / 2;
  return *best;
}

struct FormatCase {
  Format format;
  std::vector<std::int64_t> shape;
  int axis = 0;
};

std::ostream& operator<<(std::ostream& out, const FormatCase& each) {
  const Format& format = each.format;
  out << ToString(format.type) << format.bits << ' ' << ToString(format.scheme) << ' ' << ToString(format.granularity)
      << format.group_size << ' ' << ToString(format.scale_type) << ' ' << ToString(format.calibrator)
      << (format.narrow_range ? " narrow" : "") << " axis " << each.axis << " of";
  for (const auto size : each.shape) out << ' ' << size;
  return out;
}

bool IsUsable(const FormatCase& each) {
  std::int64_t values = 1;
  for (const auto size : each.shape) values *= size;
  const std::int64_t length = values / each.shape[static_cast<std::size_t>(each.axis)];
  if (each.format.granularity == Granularity::Group && length % each.format.group_size != 0) return false;
  try {
    each.format.Validate();
  } catch (const Error&) {
    return false;
  }
  return true;
}

std::vector<Format> Types() {
  std::vector<Format> types;
  const auto add = [&](NumberType type, int bits, Scheme scheme = Scheme::Symmetric, bool narrow = false) {
    Format format;
    format.type = type;
    format.bits = bits;
    format.scheme = scheme;
    format.narrow_range = narrow;
    if (type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
    types.push_back(format);
  };
  for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16})
    for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned})
      add(NumberType::Integer, bits, scheme);
  for (const int bits : {2, 4, 8}) add(NumberType::Integer, bits, Scheme::Symmetric, true);
  for (const int bits : {2, 3, 4, 5, 8}) add(NumberType::PowerOfTwo, bits);
  for (const NumberType type : {NumberType::E4M3, NumberType::E5M2}) add(type, 8);
  for (const NumberType type : {NumberType::E2M1, NumberType::Nf4}) add(type, 4);
  add(NumberType::Binary, 1);
  add(NumberType::Ternary, 2);
  return types;
}

/// Format × granularity × scales × shape, those that there are.
std::vector<FormatCase> Cases() {
  struct Sharing {
    Granularity granularity;
    int group;
  };
  const std::vector<std::pair<std::vector<std::int64_t>, int>> shapes = {
      {{6, 32}, 0}, {{5, 3, 3, 3}, 0}, {{4, 6, 2, 2}, 1}, {{1, 1}, 0}, {{7, 1}, 0}, {{300}, 0}};
  std::vector<FormatCase> cases;
  for (const Format& type : Types())
    for (const Sharing sharing :
         {Sharing{Granularity::Tensor, 0}, Sharing{Granularity::Channel, 0}, Sharing{Granularity::Group, 8},
          Sharing{Granularity::Block, 32}, Sharing{Granularity::Block, 10}})
      for (const ScaleType scales : {ScaleType::Float32, ScaleType::PowerOfTwo, ScaleType::DoubleQuantized})
        for (const Calibrator calibrator : {Calibrator::Max, Calibrator::Mse})
          for (const auto& [shape, axis] : shapes) {
            FormatCase each{type, shape, axis};
            each.format.granularity = sharing.granularity;
            each.format.group_size = sharing.group;
            each.format.scale_type = scales;
            each.format.calibrator = calibrator;
            if (IsUsable(each)) cases.push_back(each);
          }
  return cases;
}

/// Which scale a value has: by the definition of the granularities, for the value at `index` of the weight.
std::int64_t ScaleIndex(const FormatCase& each, std::int64_t index) {
  std::int64_t channel = 0, within = 0, rest = index, stride = 1, values = 1;
  for (const auto size : each.shape) values *= size;
  std::vector<std::int64_t> position(each.shape.size());
  for (std::size_t i = each.shape.size(); i-- > 0;) {
    position[i] = rest % each.shape[i];
    rest /= each.shape[i];
  }
  for (std::size_t i = each.shape.size(); i-- > 0;) {
    if (static_cast<int>(i) == each.axis) {
      channel = position[i];
      continue;
    }
    within += position[i] * stride;
    stride *= each.shape[i];
  }
  const int group = each.format.group_size;
  if (each.format.granularity == Granularity::Tensor) return 0;
  if (each.format.granularity == Granularity::Channel) return channel;
  return channel * ((stride + group - 1) / group) + within / group;
}

at::Tensor WeightOf(const std::vector<std::int64_t>& shape) {
  at::Tensor weight = torch::randn(shape, at::make_generator<at::CPUGeneratorImpl>(5)) * 0.3 + 0.05;
  if (shape.front() > 3) weight[2] = 0;  // a channel (or a part of some) without anything
  return weight;
}

class EveryFormat : public testing::TestWithParam<NumberType> {};

TEST_P(EveryFormat, HasTheBitsOfASlowModel) {
  int compared = 0;
  for (const FormatCase& each : Cases()) {
    if (each.format.type != GetParam()) continue;
    SCOPED_TRACE(testing::PrintToString(each));
    const at::Tensor weight = WeightOf(each.shape);
    const QuantizedTensor actual = QuantizeWeight(weight, each.format, each.axis);
    const at::Tensor flat = weight.reshape({-1}), value = actual.value.reshape({-1});
    const at::Tensor q = actual.q.reshape({-1}).to(at::kLong), scales = actual.scale.reshape({-1});
    ASSERT_EQ(actual.value.sizes(), weight.sizes());
    ASSERT_EQ(actual.q.sizes(), weight.sizes());
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const std::int64_t part = ScaleIndex(each, i);
      ASSERT_LT(part, scales.numel());
      const auto w = flat[i].item<double>(), scale = scales[part].item<double>();
      ASSERT_GT(scale, 0);
      if (each.format.IsInteger()) {
        const bool symmetric = each.format.scheme == Scheme::Symmetric;
        const double lowest = symmetric ? -std::exp2(each.format.bits - 1) + (each.format.narrow_range ? 1 : 0) : 0;
        const double highest = symmetric ? std::exp2(each.format.bits - 1) - 1 : std::exp2(each.format.bits) - 1;
        const auto zero = actual.zero_point.reshape({-1})[part].item<double>();
        ASSERT_TRUE(zero == 0 || each.format.scheme == Scheme::Asymmetric);
        ASSERT_TRUE(lowest <= zero && zero <= highest);
        const double position = std::nearbyint(w / scale) + zero;
        const double expected = std::min(std::max(position, lowest), highest);
        ASSERT_EQ(q[i].item<double>(), expected) << w / scale;
        ASSERT_EQ(value[i].item<float>(), static_cast<float>(scale) * static_cast<float>(expected - zero));
        ASSERT_TRUE(position != expected ||
                    std::abs(value[i].item<double>() - w) <= scale * (0.5 + 1e-6) + std::abs(w) * 1e-7);
      } else if (each.format.type == NumberType::Ternary) {
        const auto threshold = actual.threshold.reshape({-1})[part].item<double>();
        const int expected = std::abs(w) > threshold ? (w > 0 ? 2 : 0) : 1;
        ASSERT_EQ(q[i].item<int>(), expected);
        ASSERT_EQ(value[i].item<float>(), static_cast<float>(scale) * static_cast<float>(expected - 1));
      } else {
        const Nearest expected = each.format.type == NumberType::Binary
                                     ? Nearest{w >= 0 ? 1 : 0, w >= 0 ? 1.0 : -1.0, 1, false}
                                     : NearestLevel(each.format, w / scale);
        ASSERT_EQ(q[i].item<int>(), expected.code) << w / scale;
        ASSERT_EQ(value[i].item<float>(), static_cast<float>(scale) * static_cast<float>(expected.level));
        ASSERT_TRUE(!expected.inside || std::abs(value[i].item<double>() - w) <=
                                            scale * expected.half_step * (1 + 1e-6) + std::abs(w) * 1e-7);
      }
      ASSERT_TRUE(w != 0 || value[i].item<float>() == 0 || each.format.type == NumberType::Binary);
      ++compared;
    }
    // What lies on the grid stays where it is.
    ASSERT_TRUE(torch::equal(CodesOf(actual.value, actual).q, actual.q));
    ASSERT_TRUE(torch::equal(FakeQuantizeWeight(weight, actual, {}), actual.value));
    const at::Tensor exponents = scales.to(at::kDouble).log2();
    ASSERT_TRUE(each.format.scale_type != ScaleType::PowerOfTwo || torch::equal(exponents.round(), exponents));
  }
  EXPECT_GT(compared, 1000);
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat,
                         testing::Values(NumberType::Integer, NumberType::Binary, NumberType::Ternary,
                                         NumberType::PowerOfTwo, NumberType::E4M3, NumberType::E5M2, NumberType::E2M1,
                                         NumberType::Nf4),
                         [](const auto& each) {
                           std::string name(ToString(each.param));
                           std::erase(name, '-');
                           return name;
                         });

TEST(Formats, MseIsAtMostTheErrorOfTheWholeRange) {
  const at::Tensor weight = WeightOf({8, 64});
  for (const FormatCase& each : Cases()) {
    if (each.shape != std::vector<std::int64_t>{6, 32} || each.format.calibrator != Calibrator::Mse ||
        each.format.scale_type == ScaleType::DoubleQuantized)
      continue;
    SCOPED_TRACE(testing::PrintToString(each));
    Format max = each.format;
    max.calibrator = Calibrator::Max;
    const auto error = [&](const Format& format) {
      return (QuantizeWeight(weight, format, 0).value - weight).to(at::kDouble).square().sum().item<double>();
    };
    EXPECT_LE(error(each.format), error(max) * (1 + 1e-6));
  }
}

}  // namespace
}  // namespace bitplan::quantize
