#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "quantize/reference.h"

namespace bitplan::quantize {
namespace {

Format IntegerFormat(int bits, Scheme scheme, Granularity granularity, bool narrow = false) {
  Format format;
  format.bits = bits;
  format.scheme = scheme;
  format.granularity = granularity;
  format.narrow_range = narrow;
  return format;
}

TEST(QuantizeWeight, HasTheValuesOfPyTorchForEveryIntegerFormat) {
  for (const auto& expected : Reference().at("max")) {
    SCOPED_TRACE(expected.at("bits").dump() + expected.at("scheme").dump() + expected.at("granularity").dump());
    const Format format = FormatOf(expected, Calibrator::Max);
    const QuantizedTensor actual = QuantizeWeight(ReferenceWeight(), format, 0);
    const auto scale = torch::tensor(expected.at("scale").get<std::vector<float>>());
    const auto zero_point = torch::tensor(expected.at("zero_point").get<std::vector<int>>(), torch::kInt);
    EXPECT_TRUE(torch::allclose(actual.scale, scale, 1e-6, 0)) << actual.scale << scale;
    EXPECT_TRUE(torch::equal(actual.zero_point, zero_point)) << actual.zero_point << zero_point;
    const auto value = torch::tensor(expected.at("value").get<std::vector<float>>()).view(actual.value.sizes());
    EXPECT_TRUE(torch::allclose(actual.value, value, 1e-5, 1e-7)) << (actual.value - value).abs().max();
  }
}

TEST(QuantizeWeight, MseCalibratorIsAsGoodAsBruteForce) {
  const at::Tensor channel = ReferenceWeight().slice(0, 0, 1);
  for (const auto& expected : Reference().at("mse")) {
    SCOPED_TRACE(expected.dump());
    const QuantizedTensor actual = QuantizeWeight(channel, FormatOf(expected, Calibrator::Mse), 0);
    const double error = (actual.value - channel).to(torch::kDouble).square().mean().item<double>();
    EXPECT_LE(error, 1.05 * expected.at("mean_squared_error").get<double>());
  }
}

TEST(QuantizeWeight, PutsEveryFormatOnItsGrid) {
  const at::Tensor weight = ReferenceWeight();
  for (int bits = 2; bits <= 8; ++bits)
    for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric})
      for (const Granularity granularity : {Granularity::Tensor, Granularity::Channel})
        for (const Calibrator calibrator :
             {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy})
          for (const bool narrow : {false, true}) {
            if (narrow && scheme == Scheme::Asymmetric) continue;
            Format format = IntegerFormat(bits, scheme, granularity, narrow);
            format.calibrator = calibrator;
            const QuantizedTensor actual = QuantizeWeight(weight, format, 0);
            const std::int64_t lowest = scheme == Scheme::Asymmetric ? 0 : -(1 << (bits - 1)) + (narrow ? 1 : 0);
            const std::int64_t highest = scheme == Scheme::Asymmetric ? (1 << bits) - 1 : (1 << (bits - 1)) - 1;
            EXPECT_EQ(actual.q.scalar_type(), scheme == Scheme::Asymmetric ? torch::kByte : torch::kChar);
            EXPECT_EQ(actual.scale.numel(), granularity == Granularity::Channel ? weight.size(0) : 1);
            EXPECT_GE(actual.q.min().item<std::int64_t>(), lowest);
            EXPECT_LE(actual.q.max().item<std::int64_t>(), highest);
            const at::Tensor scale = actual.scale.view({-1, 1, 1, 1}),
                             zero_point = actual.zero_point.view({-1, 1, 1, 1});
            EXPECT_TRUE(torch::equal(actual.value, scale * (actual.q.to(torch::kFloat) - zero_point)));
            EXPECT_EQ(actual.value[1].abs().max().item<float>(), 0);  // 0 is always exact
          }
}

TEST(QuantizeWeight, RoundsTiesToEven) {
  const at::Tensor weight = torch::tensor({0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 3.0f}).view({1, 7});
  Format format = IntegerFormat(3, Scheme::Symmetric, Granularity::Channel);
  format.calibrator = Calibrator::Max;
  const QuantizedTensor actual = QuantizeWeight(weight, format, 0);
  EXPECT_TRUE(torch::equal(actual.q, torch::tensor({{0, 2, 2, 0, -2, -2, 3}}, torch::kChar))) << actual.q;
}

TEST(QuantizeWeight, CalibratesAlongTheGivenAxis) {
  const at::Tensor weight = ReferenceWeight();
  const Format format = IntegerFormat(4, Scheme::Symmetric, Granularity::Channel);
  const QuantizedTensor along_first = QuantizeWeight(weight, format, 0);
  for (const int axis : {1, -3}) {
    const QuantizedTensor along_second = QuantizeWeight(weight.transpose(0, 1), format, axis);
    EXPECT_EQ(along_second.channel_axis, 1);
    EXPECT_TRUE(torch::equal(along_second.value.transpose(0, 1), along_first.value));
    EXPECT_TRUE(torch::equal(along_second.scale, along_first.scale));
  }
}

TEST(QuantizeWeight, RoundsToFloat16AndKeepsFloat32) {
  const at::Tensor weight = ReferenceWeight();
  const QuantizedTensor half = QuantizeWeight(weight, DefaultWeightFormat().WithBits(16), 0);
  EXPECT_TRUE(torch::equal(half.value.flatten(), torch::tensor(Reference().at("float16").get<std::vector<float>>())));
  EXPECT_EQ(half.q.scalar_type(), torch::kHalf);
  EXPECT_FALSE(half.scale.defined());
  const QuantizedTensor single = QuantizeWeight(weight, DefaultWeightFormat().WithBits(32), 0);
  EXPECT_TRUE(torch::equal(single.value, weight));
  EXPECT_FALSE(single.q.defined());
}

TEST(QuantizeWeight, RefusesWhatCannotBeQuantized) {
  at::Tensor weight = torch::ones({2, 3});
  const Format format = DefaultWeightFormat().WithBits(4);
  EXPECT_THROW(QuantizeWeight(weight, format.WithBits(9), 0), Error);
  EXPECT_THROW(QuantizeWeight(weight, format, 2), Error);
  EXPECT_THROW(QuantizeWeight(weight, format, -3), Error);
  EXPECT_THROW(QuantizeWeight(weight.to(torch::kLong), format, 0), Error);
  EXPECT_THROW(QuantizeWeight(torch::ones({2, 0}), format, 0), Error);
  EXPECT_THROW(QuantizeWeight({}, format, 0), Error);
  EXPECT_THROW(QuantizeWeight(1e6 * weight, format.WithBits(16), 0), Error);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    weight[1][1] = bad;
    for (const int bits : {4, 16, 32}) EXPECT_THROW(QuantizeWeight(weight, format.WithBits(bits), 0), Error);
  }
}

}  // namespace
}  // namespace bitplan::quantize
