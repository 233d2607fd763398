// Small tensors whose values and gradients were worked out by hand from the papers' equations: methods of integers.

#include "training_methods/hand_derived.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <limits>

#include "moving_average.h"
#include "pact.h"
#include "training_methods/formats.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods::hand_derived {
namespace {

// ---- LSQ: s = 0.5 on −2 … 1; v = −4, −1.5, −0.8, 0.2, 0.9, 3.

TEST(Lsq, WeightFollowsEquationThree) {
  const std::vector<float> w = {-2, -0.75F, -0.4F, 0.1F, 0.45F, 1.5F};
  auto lsq = WeightOf(TrainingMethod::Lsq, WeightFormat(2), torch::tensor(w).view({1, -1}));
  EXPECT_THAT(Floats(Learned(*lsq, "scale")), AreNear({2 * 5.2F / 6}));  // 2 mean |w| / √1
  Set(*lsq, "scale", {0.5F});
  const Result result = Of(*lsq, w, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(result.value, AreNear({-1, -1, -0.5F, 0, 0.5F, 0.5F}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 4, 5, 0}));
  // 1 · −2;  2 (−2 + 1.5), 3 (−1 + 0.8), 4 (0 − 0.2), 5 (1 − 0.9);  6 · 1;  times 1 / √(6 · 1)
  EXPECT_THAT(Floats(Learned(*lsq, "scale").grad()), AreNear({(-2 - 1 - 0.6F - 0.8F + 0.5F + 6) / std::sqrt(6.0F)}));
}

TEST(Lsq, HasAScaleForEachChannelWhereTheFormatHas) {
  const at::Tensor w = torch::tensor({1.0F, -1.0F, 3.0F, 5.0F, 0.0F, 0.0F}).view({3, 2});
  auto lsq = WeightOf(TrainingMethod::Lsq, WeightFormat(4, Granularity::Channel), w);
  EXPECT_THAT(Floats(Learned(*lsq, "scale")), AreNear({2 / std::sqrt(7.0F), 8 / std::sqrt(7.0F), 1e-6F}));
}

TEST(Lsq, InputsFromZeroOnGetTheUnsignedGridAndOthersTheOneAroundZero) {
  const at::Tensor positive = torch::tensor({0.0F, 1.0F, 2.0F, 3.0F}).view({2, 2});
  for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric}) {
    auto lsq = InputOf(TrainingMethod::Lsq, InputFormat(4, scheme), positive);
    EXPECT_THAT(Floats(Learned(*lsq, "scale")), AreNear({3 / std::sqrt(15.0F)}));
    EXPECT_EQ(lsq->Range().first.scheme, scheme == Scheme::Symmetric ? Scheme::Unsigned : Scheme::Asymmetric);
    EXPECT_EQ(lsq->Range().second.zero_point, 0);
    lsq = InputOf(TrainingMethod::Lsq, InputFormat(4, scheme), positive - 1);
    EXPECT_THAT(Floats(Learned(*lsq, "scale")), AreNear({2 / std::sqrt(7.0F)}));  // mean |x| = 1
    EXPECT_EQ(lsq->Range().first.scheme, scheme);
    EXPECT_EQ(lsq->Range().second.zero_point, scheme == Scheme::Symmetric ? 0 : 8);
  }
}

TEST(Lsq, GradientOfAnInputsScaleCountsTheValuesOfOneSample) {
  auto lsq = InputOf(TrainingMethod::Lsq, InputFormat(2), torch::ones({2, 2}));
  Set(*lsq, "scale", {1});
  const at::Tensor x = torch::full({5, 12}, 9.0F).requires_grad_();
  (*lsq)(x, true).sum().backward();
  EXPECT_THAT(Floats(Learned(*lsq, "scale").grad()), AreNear({60 * 3 / std::sqrt(12 * 3.0F)}));
}

TEST(Lsq, ScalesStayAboveZero) {
  auto lsq = WeightOf(TrainingMethod::Lsq, WeightFormat(2), torch::ones({2, 2}));
  Set(*lsq, "scale", {-0.5F});
  lsq->AfterStep();
  EXPECT_THAT(Floats(Learned(*lsq, "scale")), AreNear({1e-6F}));
}

// ---- LSQ+

TEST(LsqPlus, WeightScaleStartsAtThreeDeviations) {
  const at::Tensor w = torch::tensor({1.0F, -3.0F}).view({1, 2});  // μ = −1, σ = 2
  auto plus = WeightOf(TrainingMethod::LsqPlus, WeightFormat(3), w);
  EXPECT_THAT(Floats(Learned(*plus, "scale")), AreNear({7.0F / 4}));
}

TEST(LsqPlus, OffsetLearnsFromWhatIsClippedAndActsInWholeSteps) {
  auto plus = InputOf(TrainingMethod::LsqPlus, InputFormat(2), torch::tensor({-1.0F, 1.0F}).view({1, 2}));
  Set(*plus, "scale", {0.5F});
  Set(*plus, "offset", {-0.6F});  // 1.2 steps: one
  EXPECT_EQ(plus->Range().second, (ActivationRange{0.5, 1, 0}));
  // Levels −0.5, 0, 0.5, 1.
  const Result result = Of(*plus, {-3, -0.3F, 0.2F, 2}, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({-0.5F, -0.5F, 0, 1}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 0}));
  const float factor = 1 / std::sqrt(4 * 3.0F);
  EXPECT_THAT(Floats(Learned(*plus, "offset").grad()), AreNear({(1 + 4) * factor}));
  // 1 · 0;  2 (−1 + 0.6), 3 (0 − 0.4);  4 · 3
  EXPECT_THAT(Floats(Learned(*plus, "scale").grad()), AreNear({(-0.8F - 1.2F + 12) * factor}));
}

// ---- PACT

TEST(Pact, AlphaHasTheGradientOneFromItselfOn) {
  auto pact = InputOf(TrainingMethod::Pact, InputFormat(2), torch::tensor({0.0F, 3.0F}).view({1, 2}));
  Set(*pact, "alpha", {1.5F});
  const Result result = Of(*pact, {-1, 0.2F, 0.6F, 1.49F, 1.5F, 7}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(result.value, AreNear({0, 0, 0.5F, 1.5F, 1.5F, 1.5F}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 4, 0, 0}));
  EXPECT_THAT(Floats(Learned(*pact, "alpha").grad()), AreNear({5 + 6}));
  EXPECT_GT(pact->tensors()[0].weight_decay, 0);
}

TEST(Pact, EachChannelIsClippedAtItsOwnAlphaOnOneGrid) {
  auto pact = InputOf(TrainingMethod::PactChannel, InputFormat(2), torch::rand({4, 2, 3}));
  Set(*pact, "alpha", {1.5F, 0.6F});
  const at::Tensor x = torch::tensor({0.3F, 9.0F, 0.5F, 9.0F}).view({1, 2, 2}).requires_grad_();
  const at::Tensor value = (*pact)(x, true);
  EXPECT_THAT(Floats(value), AreNear({0.5F, 1.5F, 0.5F, 0.5F}));
  value.backward(torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view_as(value));
  EXPECT_THAT(Floats(x.grad()), AreNear({1, 0, 3, 0}));
  EXPECT_THAT(Floats(Learned(*pact, "alpha").grad()), AreNear({2, 4}));
  EXPECT_THAT(pact->ChannelBounds(), ElementsAre(1.5, static_cast<double>(0.6F)));
}

// ---- DoReFa

TEST(DoReFa, WeightIsTheSqueezedOneOnTheGridThatEndsAtItsMaximum) {
  const std::vector<float> w = {0.5F, -0.25F, 0.1F};
  const std::vector<float> t = {std::tanh(0.5F), -std::tanh(0.25F), std::tanh(0.1F)};
  auto dorefa = WeightOf(TrainingMethod::DoReFa, WeightFormat(2), torch::tensor(w).view({1, 3}));
  const float m = t[0];
  const float c = (0.5F * t[0] - 0.25F * t[1] + 0.1F * t[2]) / (t[0] * t[0] + t[1] * t[1] + t[2] * t[2]) * m;
  const Result result = Of(*dorefa, w, {1, 2, 4});
  EXPECT_THAT(result.value, AreNear({c, -c, 0}));  // t / m = 1, −0.53, 0.2
  // c t / m: (1 − t²) c g / m; of the maximum less Σ g t c / m² (1 − m²), which leaves −(2 t₁ + 4 t₂) c (1 − m²) / m².
  EXPECT_THAT(result.gradient, AreNear({-(2 * t[1] + 4 * t[2]) * c * (1 - m * m) / (m * m),
                                        2 * c * (1 - t[1] * t[1]) / m, 4 * c * (1 - t[2] * t[2]) / m}));
}

TEST(DoReFa, InputsAreClampedToAFixedRange) {
  Format format = InputFormat(2);
  format.calibrator = Calibrator::Max;
  auto dorefa = InputOf(TrainingMethod::DoReFa, format, torch::tensor({0.0F, 1.0F}).view({1, 2}));
  const Result result = Of(*dorefa, {-0.5F, 0.4F, 0.6F, 1.2F}, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({0, 1.0F / 3, 2.0F / 3, 1}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 0}));
}

// ---- QIL: c = 0.5, d = 0.3 on three levels (2 bits): slope ½ / 0.3, t = 0, 1/6, 5/6, 1 at 0.1, 0.3, 0.7, 0.9.

TEST(Qil, WeightFollowsThePublishedTransformer) {
  auto qil = WeightOf(TrainingMethod::Qil, WeightFormat(2), torch::ones({2, 2}));
  Set(*qil, "center", {0.5F});
  Set(*qil, "half_width", {0.3F});
  Set(*qil, "factor", {2});
  const Result result = Of(*qil, {-0.1F, 0.3F, -0.7F, 0.9F}, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({0, 0, -2, 2}));
  const float slope = 2 * 0.5F / 0.3F;
  EXPECT_THAT(result.gradient, AreNear({0, 2 * slope, 3 * slope, 0}));
  // ∂t/∂c = −½ / d, ∂t/∂d = −½ (|w| − c) / d², signs of w
  EXPECT_THAT(Floats(Learned(*qil, "center").grad()), AreNear({slope * (-2 + 3)}));
  EXPECT_THAT(Floats(Learned(*qil, "half_width").grad()), AreNear({2 * 0.5F / 0.09F * (0.2F * 2 + 0.2F * 3)}));
}

TEST(Qil, InputIntervalHasItsOffset) {
  auto qil = InputOf(TrainingMethod::Qil, InputFormat(2), torch::rand({4, 4}));
  Set(*qil, "center", {0.9F});
  Set(*qil, "half_width", {0.6F});  // from 0.3 to 1.5, steps of 0.4
  const ActivationRange range = qil->Range().second;
  EXPECT_NEAR(range.scale, 0.4, 1e-6);
  EXPECT_NEAR(range.offset, 0.3, 1e-6);
  const Result result = Of(*qil, {0.2F, 0.6F, 1.0F, 2.0F}, {1, 2, 3, 4});
  EXPECT_THAT(result.value, AreNear({0, 0.4F, 0.8F, 1.2F}));
  EXPECT_THAT(result.gradient, AreNear({0, 2, 3, 0}));
  EXPECT_THAT(Floats(Learned(*qil, "center").grad()), AreNear({-5}));
  // x̂ = 2d t: 2 t̂ + 2d ∂t/∂d = 2 (1/3) + (0.9 − 0.6) / 0.6, 2 (2/3) + (0.9 − 1) / 0.6, and 2 above
  EXPECT_THAT(Floats(Learned(*qil, "half_width").grad()),
              AreNear({2 * (2.0F / 3 + 0.5F) + 3 * (4.0F / 3 - 1 / 6.0F) + 4 * 2}));
}

TEST(Qil, IntervalsStayAtOrAboveZero) {
  auto qil = InputOf(TrainingMethod::Qil, InputFormat(2), torch::rand({4, 4}));
  Set(*qil, "center", {0.1F});
  Set(*qil, "half_width", {0.4F});
  qil->AfterStep();
  EXPECT_EQ(qil->Range().second.offset, 0);
}

// ---- moving averages

TEST(MovingAverage, RangeMovesInTrainingAlone) {
  Format format = InputFormat(8);
  auto average = InputOf(TrainingMethod::MovingAverage, format, torch::tensor({-1.0F, 3.0F}).view({1, 2}));
  const auto before = average->Range();
  const at::Tensor x = torch::tensor({-2.0F, 5.0F});
  (*average)(x, false);
  EXPECT_EQ(average->Range(), before);
  (*average)(x, true);
  EXPECT_THAT(Floats(Learned(*average, "low")), AreNear({-1.01F}));
  EXPECT_THAT(Floats(Learned(*average, "high")), AreNear({3.02F}));
  EXPECT_NE(average->Range(), before);
}

TEST(MovingAverage, BeginsAtTheMeansOverTheFirstBatches) {
  MovingAverageInput average(InputFormat(8));
  average.Initialize(torch::tensor({-1.0F, 3.0F}));
  average.Initialize(torch::tensor({-3.0F, 4.0F}));
  average.Finish();
  EXPECT_THAT(Floats(Learned(average, "low")), AreNear({-2}));
  EXPECT_THAT(Floats(Learned(average, "high")), AreNear({3.5F}));
}

}  // namespace
}  // namespace bitplan::training_methods::hand_derived
