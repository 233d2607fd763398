// What single formats are by their papers and tables, and what they refuse.

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <limits>
#include <vector>

#include "bitplan/quantize.h"
#include "quantize/networks.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {
namespace {

Format Of(NumberType type, int bits, Granularity granularity = Granularity::Channel, int group = 0) {
  Format format;
  format.type = type;
  format.bits = bits;
  format.granularity = granularity;
  format.group_size = group;
  if (type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
  return format;
}

TEST(Formats, EightBitFloatsHaveTheBitPatternsOfPyTorch) {
  for (const auto& [type, torch_type] :
       {std::pair{NumberType::E4M3, at::kFloat8_e4m3fn}, std::pair{NumberType::E5M2, at::kFloat8_e5m2}}) {
    const at::Tensor table = LevelTable(Of(type, 8));
    const at::Tensor expected = at::arange(256, at::kByte).view(torch_type).to(at::kFloat);
    for (int code = 0; code < 256; ++code) {
      const auto of_torch = expected[code].item<float>(), ours = table[code].item<float>();
      if (code == 0x80) continue;  // −0, which is never written
      EXPECT_TRUE(std::isfinite(of_torch) ? ours == of_torch : std::isnan(ours)) << code;
    }
    // Rounding, of numbers of every size, at scale 1.
    const at::Tensor x =
        torch::randn({20000}, at::make_generator<at::CPUGeneratorImpl>(1)) *
        torch::exp2(torch::randint(-18, 8, {20000}, at::make_generator<at::CPUGeneratorImpl>(2)).to(at::kFloat));
    const at::Tensor inside = x.clamp(-448, 448);
    Format format = Of(type, 8, Granularity::Tensor);
    EXPECT_TRUE(torch::equal(FakeQuantize(inside, format, {1, 0}), inside.to(torch_type).to(at::kFloat)));
  }
}

TEST(Formats, BinaryScaleIsTheMeanMagnitudeAndTernaryHasTheThresholdOfThePaper) {
  const at::Tensor weight = torch::tensor({{0.5F, -1.5F, 0.0F, 2.0F, -0.25F, 0.75F}});
  const QuantizedTensor binary = QuantizeWeight(weight, Of(NumberType::Binary, 1), 0);
  const auto mean = static_cast<float>(5.0 / 6);
  EXPECT_FLOAT_EQ(binary.scale.item<float>(), mean);
  EXPECT_TRUE(torch::allclose(binary.value, mean * torch::tensor({{1.0F, -1.0F, 1.0F, 1.0F, -1.0F, 1.0F}})));
  const QuantizedTensor ternary = QuantizeWeight(weight, Of(NumberType::Ternary, 2), 0);
  EXPECT_FLOAT_EQ(ternary.threshold.item<float>(), 0.7F * mean);  // 0.583
  EXPECT_FLOAT_EQ(ternary.scale.item<float>(), (1.5F + 2.0F + 0.75F) / 3);
  EXPECT_TRUE(torch::equal(ternary.q, torch::tensor({{1, 0, 1, 2, 1, 2}}, torch::kByte)));
}

TEST(Formats, PowersOfTwoHaveTheLargestLevelOfIncrementalQuantization) {
  // Zhou et al. 2017, equation 3: n1 = ⌊log2(4 max / 3)⌋.
  Format format = Of(NumberType::PowerOfTwo, 5);
  format.calibrator = Calibrator::Max;
  for (const auto& [largest, expected] : {std::pair{1.0F, 1.0}, std::pair{1.49F, 1.0}, std::pair{1.51F, 2.0},
                                          std::pair{0.3F, 0.25}, std::pair{0.38F, 0.5}}) {
    const QuantizedTensor actual = QuantizeWeight(torch::tensor({{largest, -0.01F}}), format, 0);
    EXPECT_EQ(actual.scale.item<double>(), expected) << largest;
    EXPECT_EQ(actual.value[0][0].item<double>(), expected) << largest;
  }
}

TEST(Formats, BlocksShareTheExponentOfTheMicroscalingFormats) {
  // Open Compute Project 2023, section 6.3: 2^(⌊log2 max⌋ − e), e = 8 for E4M3, 15 for E5M2, 2 for E2M1; of MXINT8
  // elements are 1/64 of an integer.
  const at::Tensor weight = torch::randn({3, 70}, at::make_generator<at::CPUGeneratorImpl>(9)) * 10;
  for (const auto& [type, bits, exponent] :
       {std::tuple{NumberType::E4M3, 8, 8}, std::tuple{NumberType::E5M2, 8, 15}, std::tuple{NumberType::E2M1, 4, 2},
        std::tuple{NumberType::Integer, 8, 6}}) {
    Format format = Of(type, bits, Granularity::Block, 32);
    format.scale_type = ScaleType::PowerOfTwo;
    format.calibrator = Calibrator::Max;
    const QuantizedTensor actual = QuantizeWeight(weight, format, 0);
    ASSERT_EQ(actual.scale.sizes(), (std::vector<std::int64_t>{3, 3}));  // 32, 32 and 6 values
    for (int channel = 0; channel < 3; ++channel)
      for (int block = 0; block < 3; ++block) {
        const auto largest =
            weight[channel].slice(0, 32 * block, std::min(70, 32 * block + 32)).abs().max().item<double>();
        EXPECT_EQ(actual.scale[channel][block].item<double>(), std::exp2(std::floor(std::log2(largest)) - exponent))
            << ToString(type);
      }
  }
}

TEST(Formats, DoubleQuantizedScalesAreWhatTheirCodesSay) {
  Format format = Of(NumberType::Nf4, 4, Granularity::Block, 64);
  format.scale_type = ScaleType::DoubleQuantized;
  const at::Tensor weight = torch::randn({90, 200}, at::make_generator<at::CPUGeneratorImpl>(4));
  const QuantizedTensor actual = QuantizeWeight(weight, format, 0);
  ASSERT_TRUE(actual.scale_codes.has_value());
  EXPECT_EQ(actual.scale_codes->codes.numel(), 90 * 4);
  EXPECT_EQ(actual.scale_codes->block_scale.numel(), 2);
  const at::Tensor level = actual.scale_codes->codes.view(at::kFloat8_e4m3fn).to(at::kFloat);
  const at::Tensor block = actual.scale_codes->block_scale.repeat_interleave(256).narrow(0, 0, 360);
  EXPECT_TRUE(torch::equal(actual.scale.view({-1}), block * level + actual.scale_codes->offset));
  format.scale_type = ScaleType::Float32;
  const double error = (actual.value - weight).square().mean().item<double>();
  EXPECT_LT(error, 1.02 * (QuantizeWeight(weight, format, 0).value - weight).square().mean().item<double>());
}

TEST(Formats, RefuseWhatTheyCannotBe) {
  const at::Tensor weight = torch::randn({4, 30});
  const auto message = [&](const Format& format) { return MessageOf([&] { QuantizeWeight(weight, format, 0); }); };
  EXPECT_NE(
      message(Of(NumberType::Integer, 4, Granularity::Group, 8)).find("8 does not divide the 30 values of a channel"),
      std::string::npos);
  EXPECT_NE(message(Of(NumberType::Integer, 4, Granularity::Group, 0)).find("group_size: 0"), std::string::npos);
  EXPECT_NE(message(Of(NumberType::Integer, 9)).find("bits: 9 is not a width"), std::string::npos);
  EXPECT_NE(message(Of(NumberType::Nf4, 3)).find("bits: 3 given; nf4 has 4"), std::string::npos);
  EXPECT_NE(message(Of(NumberType::Binary, 2)).find("binary has 1"), std::string::npos);
  Format dynamic = Of(NumberType::Integer, 8, Granularity::Tensor);
  dynamic.calibrator = Calibrator::Dynamic;
  EXPECT_NE(message(dynamic).find("dynamic"), std::string::npos);
  Format entropy = Of(NumberType::E4M3, 8);
  entropy.calibrator = Calibrator::Entropy;
  EXPECT_NE(message(entropy).find("entropy is for integers"), std::string::npos);
  Format doubled = Of(NumberType::Nf4, 4);
  doubled.scale_type = ScaleType::DoubleQuantized;
  EXPECT_NE(message(doubled).find("of groups or blocks"), std::string::npos);
  for (const NumberType type : {NumberType::Ternary, NumberType::Nf4})
    EXPECT_NE(MessageOf([&] {
                Of(type, type == NumberType::Nf4 ? 4 : 2, Granularity::Tensor).ValidateForActivations();
              }).find("is for weights"),
              std::string::npos);
}

TEST(Formats, BinaryActivationsAreSignsTimesTheScale) {
  const Format format = Of(NumberType::Binary, 1, Granularity::Tensor);
  format.ValidateForActivations();
  const at::Tensor x = torch::tensor({-3.0F, -0.1F, 0.0F, 0.2F, 9.0F});
  EXPECT_TRUE(torch::equal(FakeQuantize(x, format, {0.5, 0}), torch::tensor({-0.5F, -0.5F, 0.5F, 0.5F, 0.5F})));
}

TEST(Formats, OfActivationsAreTheSameHoweverATensorLies) {
  const at::Tensor x =
      torch::randn({40, 50}, at::make_generator<at::CPUGeneratorImpl>(1)) * torch::exp2(torch::linspace(-12, 6, 50));
  const at::Tensor apart = torch::zeros({40, 100}).slice(1, 0, 100, 2).copy_(x);  // with gaps between
  for (const NumberType type : {NumberType::E4M3, NumberType::E5M2, NumberType::E2M1, NumberType::PowerOfTwo})
    for (const double scale : {1.0, 0.37, 12.5}) {
      const Format format = Of(type, type == NumberType::E2M1 ? 4 : 8, Granularity::Tensor);
      const at::Tensor expected = FakeQuantize(apart, format, {scale, 0});
      EXPECT_TRUE(torch::equal(FakeQuantize(x, format, {scale, 0}), expected)) << ToString(type) << scale;
      EXPECT_TRUE(torch::equal(FakeQuantize(x.t(), format, {scale, 0}), expected.t()));
    }
  const at::Tensor bad = torch::tensor({std::nanf(""), INFINITY, -INFINITY, 1.0F});
  const at::Tensor rounded = FakeQuantize(bad, Of(NumberType::E4M3, 8, Granularity::Tensor), {1, 0});
  EXPECT_TRUE(std::isnan(rounded[0].item<float>()));
  EXPECT_EQ(rounded[1].item<float>(), 448);
  EXPECT_EQ(rounded[2].item<float>(), -448);
}

TEST(Formats, DynamicRangesAreThoseOfEachBatch) {
  Format format = DefaultActivationFormat().WithBits(8);
  format.calibrator = Calibrator::Dynamic;
  for (const double magnitude : {0.1, 30.0}) {
    const at::Tensor x = torch::randn({50}, at::make_generator<at::CPUGeneratorImpl>(3)) * magnitude;
    const double step = (x.max() - x.min()).item<double>() / 255;
    EXPECT_LE((FakeQuantize(x, format, {}) - x).abs().max().item<double>(), 0.51 * step * (1 + 1.0 / 127));
    EXPECT_GT((FakeQuantize(x, format, {}) - x).abs().max().item<double>(), 0.4 * step);
  }
  EXPECT_TRUE(torch::equal(FakeQuantize(torch::zeros({3}), format, {}), torch::zeros({3})));
}

TEST(Formats, OfActivationsPassTheGradientInsideTheirRange) {
  for (const NumberType type : {NumberType::E4M3, NumberType::E2M1, NumberType::PowerOfTwo}) {
    const double largest = type == NumberType::E4M3 ? 448 : type == NumberType::E2M1 ? 6 : 1;
    const at::Tensor x = (torch::tensor({-1.01F, -0.9F, 0.0F, 0.3F, 1.0F, 1.2F}) * largest).requires_grad_();
    const Format format = Of(type, type == NumberType::E4M3 ? 8 : 4, Granularity::Tensor);
    FakeQuantize(x, format, {1, 0}).sum().backward();
    EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 0.0F})))
        << ToString(type) << x.grad();
  }
}

}  // namespace
}  // namespace bitplan::quantize
