#include "bitplan/loss.h"

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "message_of.h"

namespace bitplan {
namespace {

using ::testing::HasSubstr;

std::vector<double> Softmax(const std::vector<double>& logits) {
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  std::vector<double> probabilities;
  for (const double z : logits) probabilities.push_back(std::exp(z) / sum);
  return probabilities;
}

TEST(ClassAxis, IsOneForVectorsAndImages) {
  EXPECT_EQ(ClassAxis(torch::zeros({2, 5}), {}), 1);
  EXPECT_EQ(ClassAxis(torch::zeros({2, 5, 4, 3}), {}), 1);
  EXPECT_EQ(ClassAxis(torch::zeros({2, 5, 4, 3, 6}), {}), 1);
}

TEST(ClassAxis, OfSequencesDependsOnTheLabels) {
  const auto labels = [](std::int64_t t) { return torch::zeros({2, t}, torch::kLong); };
  EXPECT_EQ(ClassAxis(torch::zeros({2, 7, 5}), {}), 2);
  EXPECT_EQ(ClassAxis(torch::zeros({2, 7, 5}), labels(7)), 2);
  EXPECT_EQ(ClassAxis(torch::zeros({2, 5, 7}), labels(7)), 1);
}

TEST(ClassAxis, RefusesAnOutputWithoutClasses) {
  EXPECT_THAT(MessageOf([] { ClassAxis(torch::zeros({3}), {}); }), HasSubstr("[3]"));
}

TEST(LossValue, CrossEntropyIsTheMeanNegativeLogProbability) {
  const std::vector<double> first = {0.5, -1, 2}, second = {3, 0, -2};
  const double expected = -(std::log(Softmax(first)[2]) + std::log(Softmax(second)[1])) / 2;
  const at::Tensor logits = torch::tensor({{0.5, -1.0, 2.0}, {3.0, 0.0, -2.0}});
  EXPECT_NEAR(LossValue(Loss::CrossEntropy, logits, torch::tensor({2, 1}, torch::kLong)).item<double>(), expected,
              1e-6);
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
  EXPECT_NEAR(LossValue(Loss::CrossEntropy, logits, labels).item<double>(), sum / 40, 1e-5);
}

TEST(LossValue, SequencesGiveTheSameLossInEitherLayout) {
  const at::Tensor logits = torch::randn({2, 7, 5});
  const at::Tensor labels = torch::randint(5, {2, 7}, torch::kLong);
  const double last = LossValue(Loss::CrossEntropy, logits, labels).item<double>();
  const double middle = LossValue(Loss::CrossEntropy, logits.transpose(1, 2), labels).item<double>();
  EXPECT_NEAR(last, middle, 1e-6);
}

TEST(LossValue, DivergenceIsTheMeanKullbackLeiblerDivergence) {
  const std::vector<double> p = Softmax({1, 2, 0}), q = Softmax({0, 2, 1});
  double expected = 0;
  for (std::size_t c = 0; c < 3; ++c) expected += p[c] * std::log(p[c] / q[c]);
  const at::Tensor target = torch::tensor({{1.0, 2.0, 0.0}, {1.0, 2.0, 0.0}});
  const at::Tensor logits = torch::tensor({{0.0, 2.0, 1.0}, {1.0, 2.0, 0.0}});
  EXPECT_NEAR(LossValue(Loss::Divergence, logits, target).item<double>(), expected / 2, 1e-6);
  EXPECT_NEAR(LossValue(Loss::Divergence, target + 3, target).item<double>(), 0, 1e-6);
}

TEST(LossValue, IsTwiceDifferentiable) {
  const at::Tensor logits = torch::randn({3, 4}, torch::requires_grad());
  const at::Tensor loss = LossValue(Loss::Divergence, logits, logits.detach());
  const at::Tensor gradient = torch::autograd::grad({loss}, {logits}, {}, true, true)[0];
  EXPECT_NEAR(gradient.abs().max().item<double>(), 0, 1e-7);
  const at::Tensor second = torch::autograd::grad({gradient[0][0]}, {logits})[0];
  const double p = logits.detach()[0].softmax(0)[0].item<double>();
  EXPECT_NEAR(second[0][0].item<double>(), p * (1 - p) / 3, 1e-6);  // Hessian of KL in the logits: (diag(p) − ppᵀ) / N
}

TEST(LossValue, NamesWhatDoesNotFit) {
  const at::Tensor logits = torch::randn({2, 3});
  const auto cross_entropy = [&](const at::Tensor& labels) {
    return MessageOf([&] { LossValue(Loss::CrossEntropy, logits, labels); });
  };
  EXPECT_THAT(cross_entropy(torch::tensor({0, 3}, torch::kLong)),
              HasSubstr("label 3 is outside the network's 3 classes"));
  EXPECT_THAT(cross_entropy(torch::tensor({-1, 0}, torch::kLong)), HasSubstr("label -1"));
  EXPECT_THAT(cross_entropy(torch::tensor({0, 1, 2}, torch::kLong)), HasSubstr("labels of shape [3]"));
  EXPECT_THAT(cross_entropy(torch::zeros({2})), HasSubstr("int64"));
  EXPECT_THAT(cross_entropy({}), HasSubstr("int64"));
  EXPECT_THAT(MessageOf([&] { LossValue(Loss::Divergence, logits, torch::zeros({2, 4})); }), HasSubstr("[2, 3]"));
  EXPECT_THAT(MessageOf([&] { LossValue(Loss::Auto, logits, logits); }), HasSubstr("auto"));
  EXPECT_THAT(MessageOf([&] { LossValue(Loss::Divergence, torch::zeros({2, 3}, torch::kLong), logits); }),
              HasSubstr("floating-point"));
}

TEST(Loss, NamesReadBack) {
  for (const Loss loss : {Loss::Auto, Loss::CrossEntropy, Loss::Divergence, Loss::LogitShift, Loss::BinaryCrossEntropy,
                          Loss::MeanSquaredError})
    EXPECT_EQ(ParseLoss(ToString(loss)), loss);
  EXPECT_THAT(MessageOf([] { ParseLoss("mse"); }),
              HasSubstr("auto, cross-entropy, divergence, logit-shift, binary-cross-entropy, mean-squared-error"));
}

}  // namespace
}  // namespace bitplan
