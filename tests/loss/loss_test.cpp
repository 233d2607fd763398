#include "bitplan/loss.h"

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "message_of.h"

namespace bitplan::loss {
namespace {

using ::testing::HasSubstr;

std::vector<double> Softmax(const std::vector<double>& logits) {
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  std::vector<double> probabilities;
  for (const double z : logits) probabilities.push_back(std::exp(z) / sum);
  return probabilities;
}

/// The mean loss of an output under `loss`; `labels` and `float_output` may be undefined.
double Value(Loss loss, const at::Tensor& output, const at::Tensor& labels, const at::Tensor& float_output = {}) {
  return LossValue(ResolveLoss(output, labels, loss), output, float_output, labels).item<double>();
}

TEST(LossValue, CrossEntropyIsTheMeanNegativeLogProbability) {
  const std::vector<double> first = {0.5, -1, 2}, second = {3, 0, -2};
  const double expected = -(std::log(Softmax(first)[2]) + std::log(Softmax(second)[1])) / 2;
  const at::Tensor logits = torch::tensor({{0.5, -1.0, 2.0}, {3.0, 0.0, -2.0}});
  EXPECT_NEAR(Value(Loss::CrossEntropy, logits, torch::tensor({2, 1}, torch::kLong)), expected, 1e-6);
}

TEST(LossValue, CrossEntropyOfDenseLabelsAveragesOverPositions) {
  const at::Tensor logits = torch::randn({2, 3, 4, 5});
  const at::Tensor labels = torch::randint(3, {2, 4, 5}, torch::kLong);
  double sum = 0;
  for (int n = 0; n < 2; ++n) {
    for (int h = 0; h < 4; ++h) {
      for (int w = 0; w < 5; ++w) {
        std::vector<double> z;
        for (int c = 0; c < 3; ++c) z.push_back(logits[n][c][h][w].item<double>());
        sum -= std::log(Softmax(z)[labels[n][h][w].item<std::int64_t>()]);
      }
    }
  }
  EXPECT_NEAR(Value(Loss::CrossEntropy, logits, labels), sum / 40, 1e-5);
}

TEST(LossValue, SequencesGiveTheSameLossInEitherLayout) {
  const at::Tensor logits = torch::randn({2, 7, 5});
  const at::Tensor labels = torch::randint(5, {2, 7}, torch::kLong);
  const double last = Value(Loss::CrossEntropy, logits, labels);
  const double middle = Value(Loss::CrossEntropy, logits.transpose(1, 2), labels);
  EXPECT_NEAR(last, middle, 1e-6);
}

TEST(LossValue, DivergenceIsTheMeanKullbackLeiblerDivergence) {
  const std::vector<double> p = Softmax({1, 2, 0}), q = Softmax({0, 2, 1});
  double expected = 0;
  for (std::size_t c = 0; c < 3; ++c) expected += p[c] * std::log(p[c] / q[c]);
  const at::Tensor target = torch::tensor({{1.0, 2.0, 0.0}, {1.0, 2.0, 0.0}});
  const at::Tensor logits = torch::tensor({{0.0, 2.0, 1.0}, {1.0, 2.0, 0.0}});
  EXPECT_NEAR(Value(Loss::Divergence, logits, {}, target), expected / 2, 1e-6);
  EXPECT_NEAR(Value(Loss::Divergence, target + 3, {}, target), 0, 1e-6);
}

TEST(LossValue, IsTwiceDifferentiable) {
  const at::Tensor logits = torch::randn({3, 4}, torch::requires_grad());
  const at::Tensor loss = LossValue(ResolveLoss(logits, {}, Loss::Divergence), logits, logits.detach(), {});
  const at::Tensor gradient = torch::autograd::grad({loss}, {logits}, {}, true, true)[0];
  EXPECT_NEAR(gradient.abs().max().item<double>(), 0, 1e-7);
  const at::Tensor second = torch::autograd::grad({gradient[0][0]}, {logits})[0];
  const double p = logits.detach()[0].softmax(0)[0].item<double>();
  EXPECT_NEAR(second[0][0].item<double>(), p * (1 - p) / 3, 1e-6);  // Hessian of KL in the logits: (diag(p) − ppᵀ) / N
}

TEST(LossValue, OfYesOrNoIsTheDivergenceOfTheTwoOutcomes) {
  const at::Tensor labels = torch::tensor({{1, 0}, {0, 0}}, torch::kLong);
  const at::Tensor from = torch::tensor({{1.0, -2.0}, {0.5, 0.0}}), to = torch::tensor({{0.5, -1.0}, {0.5, 3.0}});
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  double divergence = 0, entropy = 0;
  for (const auto& [z, w, label] : {std::tuple{1.0, 0.5, 1}, {-2.0, -1.0, 0}, {0.5, 0.5, 0}, {0.0, 3.0, 0}}) {
    const double p = sigmoid(z), q = sigmoid(w);
    divergence += p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
    entropy -= std::log(label == 1 ? q : 1 - q);
  }
  EXPECT_NEAR(Value(Loss::Divergence, to, labels, from), divergence / 4, 1e-6);
  EXPECT_NEAR(Value(Loss::BinaryCrossEntropy, to, labels), entropy / 4, 1e-6);
}

/// A softmax over one class would be.
TEST(LossValue, DefaultsOfOneOutputAreNotConstant) {
  for (const at::Tensor& output : {torch::tensor({1.0, 2.0, 4.0}), torch::tensor({{1.0}, {2.0}, {4.0}})}) {
    EXPECT_NEAR(Value(Loss::Auto, output + 1, {}, output), 1, 1e-6);
    const Criterion criterion = ResolveLoss(output, {}, Loss::Auto);
    EXPECT_NEAR(LossValue(criterion.With(Loss::LogitShift), output + 1, output, {}).item<double>(), 0.5, 1e-6);
    EXPECT_NEAR(LossValue(criterion.With(Loss::Divergence), output + 1, output, {}).item<double>(), 1, 1e-6);
  }
}

TEST(LossValue, SquaredErrorsAreFromLabelsWhereTheseAreNumbers) {
  const at::Tensor output = torch::tensor({{1.0}, {2.0}, {4.0}}), labels = torch::tensor({1.5F, 2.0F, 3.0F});
  EXPECT_NEAR(Value(Loss::Auto, output, labels), (0.25 + 0 + 1) / 3, 1e-6);
}

/// As PyTorch's cross_entropy with ignore_index: the mean over the positions that are left.
TEST(LossValue, IgnoredPositionsDoNotCountInAnyLoss) {
  const at::Tensor logits = torch::randn({3, 7, 5}), shifted = logits + torch::randn({3, 7, 5}) / 3;
  at::Tensor labels = torch::randint(5, {3, 7}, torch::kLong);
  for (const auto& [n, t] : {std::pair{0, 3}, {0, 6}, {2, 0}, {2, 1}, {2, 5}}) labels[n][t] = kIgnoredLabel;
  labels[1].fill_(kIgnoredLabel);  // a sample without any
  const at::Tensor kept = labels.ne(kIgnoredLabel);
  const at::Tensor rows = logits.index({kept}), moved = shifted.index({kept}), numbers = labels.index({kept});
  EXPECT_NEAR(Value(Loss::CrossEntropy, shifted, labels), Value(Loss::CrossEntropy, moved, numbers), 1e-6);
  EXPECT_NEAR(Value(Loss::Divergence, shifted, labels, logits), Value(Loss::Divergence, moved, numbers, rows), 1e-6);
  EXPECT_NEAR(Value(Loss::LogitShift, shifted, labels, logits), Value(Loss::LogitShift, moved, numbers, rows), 1e-6);
  const at::Tensor of_samples = SampleLosses(ResolveLoss(shifted, labels, Loss::CrossEntropy), shifted, {}, labels);
  EXPECT_EQ(of_samples[1].item<double>(), 0);
  EXPECT_TRUE(of_samples.isfinite().all().item<bool>());
}

TEST(LossValue, IgnoredNumbersLeaveNoTraceInGradients) {
  const at::Tensor output = torch::tensor({{1.0, 2.0}, {3.0, 4.0}}, torch::requires_grad());
  const float ignored = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor labels = torch::tensor({{0.5F, ignored}, {ignored, ignored}});
  const Criterion criterion = ResolveLoss(output, labels, Loss::MeanSquaredError);
  const at::Tensor loss = LossValue(criterion, output, {}, labels);
  EXPECT_NEAR(loss.item<double>(), 0.25, 1e-6);
  const at::Tensor gradient = torch::autograd::grad({loss}, {output})[0];
  EXPECT_TRUE(gradient.allclose(torch::tensor({{1.0, 0.0}, {0.0, 0.0}}))) << gradient;
}

TEST(RightDecisions, AreOfEveryLabelThatCounts) {
  const at::Tensor output = torch::tensor({{1.0, -1.0, 0.5}, {-2.0, 3.0, -0.5}});
  const at::Tensor labels = torch::tensor({{1L, 1L, 0L}, {0L, 1L, kIgnoredLabel}}, torch::kLong);
  const Criterion criterion = ResolveLoss(output, labels, Loss::Auto);
  EXPECT_TRUE(
      RightDecisions(criterion, output, labels).equal(torch::tensor({{true, false, false}, {true, true, false}})));
}

TEST(LossValue, NeedsTheFloatNetworksOutput) {
  const at::Tensor logits = torch::randn({2, 3});
  EXPECT_THAT(MessageOf([&] { Value(Loss::Divergence, logits, {}, torch::zeros({2, 4})); }), HasSubstr("[2, 3]"));
  Criterion unsettled;
  unsettled.loss = Loss::Auto;
  EXPECT_THAT(MessageOf([&] { LossValue(unsettled, logits, logits, {}); }), HasSubstr("auto"));
}

TEST(Loss, NamesReadBack) {
  for (const Loss loss : {Loss::Auto, Loss::CrossEntropy, Loss::Divergence, Loss::LogitShift, Loss::BinaryCrossEntropy,
                          Loss::MeanSquaredError})
    EXPECT_EQ(ParseLoss(ToString(loss)), loss);
  EXPECT_THAT(MessageOf([] { ParseLoss("mse"); }),
              HasSubstr("auto, cross-entropy, divergence, logit-shift, binary-cross-entropy, mean-squared-error"));
}

}  // namespace
}  // namespace bitplan::loss
