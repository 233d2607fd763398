// The same of methods with two or three levels.

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <numbers>

#include "training_methods/formats.h"
#include "training_methods/hand_derived.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods::hand_derived {
namespace {

// ---- binary and ternary

TEST(BinaryConnect, ClipsToItsLevels) {
  const at::Tensor first = torch::tensor({0.5F, -0.5F}).view({1, 2});
  auto binary =
      WeightOf(TrainingMethod::BinaryConnect, WeightFormat(1, Granularity::Tensor, NumberType::Binary), first);
  at::Tensor w = torch::tensor({-0.7F, -0.1F, 0.0F, 0.6F}).view({1, 4}).requires_grad_();
  binary->ClipWeight(w);
  EXPECT_THAT(Floats(w), AreNear({-0.5F, -0.1F, 0, 0.5F}));
  const Result result = Of(*binary, Floats(w), {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({-0.5F, -0.5F, 0.5F, 0.5F}));
  EXPECT_THAT(result.gradient, AreNear({1, 2, 3, 4}));
}

TEST(BinaryConnect, DrawsWithTheHardSigmoidInTrainingAlone) {
  const Format format = WeightFormat(1, Granularity::Tensor, NumberType::Binary);
  auto binary = Started(MakeWeightQuantizer(TrainingMethod::BinaryConnectStochastic, format, 0,
                                            at::make_generator<at::CPUGeneratorImpl>(7)),
                        torch::full({1, 2}, 0.5F));
  for (const float w : {-0.8F, -0.25F, 0.0F, 0.4F, 0.5F}) {
    const at::Tensor many = torch::full({100, 200}, w);
    const double share = (*binary)(many, true).eq(0.5F).to(torch::kDouble).mean().item<double>();
    const double expected = std::min(std::max((w / 0.5 + 1) / 2, 0.0), 1.0);
    EXPECT_NEAR(share, expected, 4 * std::sqrt(0.25 / 20000)) << w;
    EXPECT_THAT(Floats((*binary)(many, false)[0][0]), AreNear({w >= 0 ? 0.5F : -0.5F}));
  }
}

TEST(BinaryConnect, SameGeneratorDrawsTheSame) {
  const Format format = WeightFormat(1, Granularity::Tensor, NumberType::Binary);
  const at::Tensor w = torch::rand({30, 30}) - 0.5;
  std::vector<at::Tensor> drawn;
  for (int run = 0; run < 2; ++run) {
    auto binary = Started(MakeWeightQuantizer(TrainingMethod::BinaryConnectStochastic, format, 0,
                                              at::make_generator<at::CPUGeneratorImpl>(7)),
                          w);
    (*binary)(w, true);
    drawn.push_back((*binary)(w, true));
  }
  EXPECT_TRUE(torch::equal(drawn[0], drawn[1]));
}

TEST(Bwn, GradientIsThatOfScaleAndSign) {
  const std::vector<float> w = {0.5F, -1.5F, 0.4F};  // mean 0.8
  auto bwn =
      WeightOf(TrainingMethod::Bwn, WeightFormat(1, Granularity::Tensor, NumberType::Binary), torch::ones({2, 2}));
  const Result result = Of(*bwn, w, {1, 2, 3});
  EXPECT_THAT(result.value, AreNear({0.8F, -0.8F, 0.8F}));
  EXPECT_THAT(result.gradient, AreNear({1 / 3.0F + 0.8F, 2 / 3.0F, 3 * (1 / 3.0F + 0.8F)}));
}

TEST(XnorNet, InputsAreSignsTimesTheMeanMagnitude) {
  auto xnor = InputOf(TrainingMethod::XnorNet, InputFormat(1), torch::tensor({-1.0F, 3.0F}).view({1, 2}));
  const float sigma = 2 * std::sqrt(std::numbers::pi_v<float> / 2);  // 2.507
  const Result result = Of(*xnor, {-2.6F, -0.1F, 0, 2.5F}, {1, 2, 3, 4}, false);
  EXPECT_THAT(result.value, AreNear({-2, -2, 2, 2}));
  EXPECT_THAT(result.gradient, AreNear({0, 2 * 2 / sigma, 3 * 2 / sigma, 4 * 2 / sigma}));
  EXPECT_EQ(xnor->Range().first.type, NumberType::Binary);
}

TEST(XnorNet, InputsFromZeroOnAreZeroOrOneLevel) {
  auto xnor = InputOf(TrainingMethod::XnorNet, InputFormat(1), torch::tensor({0.0F, 2.0F}).view({1, 2}));
  const Result result = Of(*xnor, {0, 0.9F, 1.1F, 3}, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({0, 0, 2, 2}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 0}));
}

TEST(Twn, HasTheThresholdAndScaleOfThePaper) {
  const std::vector<float> w = {0.1F, -0.5F, 0.9F, -0.3F};  // mean 0.45, Δ = 0.315, s = 0.7
  auto twn =
      WeightOf(TrainingMethod::Twn, WeightFormat(2, Granularity::Tensor, NumberType::Ternary), torch::ones({2, 2}));
  const Result result = Of(*twn, w, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({0, -0.7F, 0.7F, 0}));
  EXPECT_THAT(result.gradient, AreNear({1, 2, 3, 4}));
}

TEST(Ttq, LearnsBothLevels) {
  const std::vector<float> w = {0.04F, -0.5F, 1, 0.5F, -0.04F};  // Δ = 0.05
  auto ttq = WeightOf(TrainingMethod::Ttq, WeightFormat(2, Granularity::Tensor, NumberType::Ternary),
                      torch::tensor(w).view({1, -1}));
  EXPECT_THAT(Floats(Learned(*ttq, "positive_scale")), AreNear({0.75F}));
  EXPECT_THAT(Floats(Learned(*ttq, "negative_scale")), AreNear({0.5F}));
  Set(*ttq, "positive_scale", {2});
  Set(*ttq, "negative_scale", {3});
  const Result result = Of(*ttq, w, {1, 2, 3, 4, 5});
  EXPECT_THAT(result.value, AreNear({0, -3, 2, 2, 0}));
  EXPECT_THAT(result.gradient, AreNear({1, 3 * 2, 2 * 3, 2 * 4, 5}));
  EXPECT_THAT(Floats(Learned(*ttq, "positive_scale").grad()), AreNear({3 + 4}));
  EXPECT_THAT(Floats(Learned(*ttq, "negative_scale").grad()), AreNear({-2}));
}

}  // namespace
}  // namespace bitplan::training_methods::hand_derived
