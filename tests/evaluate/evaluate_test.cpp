#include "bitplan/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "quantize/networks.h"

namespace bitplan::evaluate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The logits of one prediction.
std::vector<double> Row(const at::Tensor& rows, std::int64_t index) {
  const at::Tensor row = rows[index].to(torch::kDouble).contiguous();
  return {row.const_data_ptr<double>(), row.const_data_ptr<double>() + row.numel()};
}

std::vector<double> Softmax(const std::vector<double>& logits) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  std::vector<double> result;
  for (const double logit : logits) result.push_back(std::exp(logit) / sum);
  return result;
}

/// The definition, prediction by prediction. `rows`, `float_rows`: [predictions, classes].
Evaluation Expected(const at::Tensor& rows, const at::Tensor& float_rows, const at::Tensor& labels) {
  Evaluation expected;
  expected.total = rows.size(0);
  expected.correct = 0;
  const auto largest = [](const std::vector<double>& p) { return std::max_element(p.begin(), p.end()) - p.begin(); };
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const std::vector<double> p = Softmax(Row(float_rows, i)), q = Softmax(Row(rows, i));
    const auto label = labels.defined() ? labels[i].item<std::int64_t>() : 0;
    expected.correct += largest(q) == label;
    expected.loss -= std::log(q[static_cast<std::size_t>(label)]);
    expected.agreement += largest(q) == largest(p);
    for (std::size_t c = 0; c < p.size(); ++c) expected.divergence += p[c] * std::log(p[c] / q[c]);
  }
  const auto total = static_cast<double>(expected.total);
  expected.accuracy = static_cast<double>(expected.correct) / total;
  expected.loss /= total;
  expected.agreement /= total;
  expected.divergence /= total;
  return expected;
}

void ExpectNear(const Evaluation& actual, const Evaluation& expected) {
  EXPECT_EQ(actual.total, expected.total);
  EXPECT_EQ(actual.correct, expected.correct);
  EXPECT_NEAR(actual.accuracy, expected.accuracy, 1e-12);
  EXPECT_NEAR(actual.loss, expected.loss, 1e-6);
  EXPECT_NEAR(actual.agreement, expected.agreement, 1e-12);
  EXPECT_NEAR(actual.divergence, expected.divergence, 1e-6);
}

struct Case {
  std::string model;
  int output = -1;
  std::vector<std::int64_t> input, labels;
  std::int64_t classes = 0, class_axis = 1;
};

class EvaluateOutputs : public ::testing::TestWithParam<Case> {};

TEST_P(EvaluateOutputs, IsTheDefinition) {
  const auto& [model, output, input, label_shape, classes, class_axis] = GetParam();
  torch::manual_seed(0);
  const Network network = LoadModel(model, output);
  const at::Tensor x = model == "Tokens" ? torch::randint(16, input, torch::kLong) : torch::randn(input);
  const at::Tensor labels = torch::randint(classes, label_shape, torch::kLong);
  const Dataset data = Dataset::FromTensors({x}, labels);
  const std::vector<QuantizedNetwork> quantized = {
      QuantizedNetwork::Create(network, UniformPlan(network, 2, 32), data),
      QuantizedNetwork::Create(network, UniformPlan(network, 4, 4), data),
  };
  const auto rows = [&, axis = class_axis, count = classes](const at::Tensor& y) {
    return y.movedim(axis, -1).reshape({-1, count});
  };
  const at::Tensor reference = rows(network.Forward({x}));
  for (const std::int64_t batch_size : {3, 100}) {
    const std::vector<Evaluation> actual = Evaluate(network, quantized, data, batch_size);
    ASSERT_EQ(actual.size(), 3u);
    ExpectNear(actual[0], Expected(reference, reference, labels.flatten()));
    for (std::size_t i = 0; i < 2; ++i)
      ExpectNear(actual[1 + i], Expected(rows(quantized[i].Forward({x})), reference, labels.flatten()));
    EXPECT_GT(actual[1].divergence, actual[2].divergence);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, EvaluateOutputs,
                         ::testing::Values(Case{"SharedInput", -1, {20, 6}, {20}, 4, 1},           // [N, C]
                                           Case{"Normalized", -1, {5, 3, 6, 6}, {5, 4, 4}, 4, 1},  // [N, C, H, W]
                                           Case{"WithoutBias", 1, {5, 3, 2, 2}, {5, 14}, 7, 1},    // [N, C, T]
                                           Case{"Tokens", -1, {10, 6}, {10, 6}, 5, 2}),            // [N, T, C]
                         [](const auto& test) { return test.param.model; });

TEST(Evaluate, SaysHowFarFromFloatWithoutLabels) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Samples({20, 6});
  const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 3, 3), data);
  const std::vector<Evaluation> actual = Evaluate(network, {quantized}, data, 8);
  const at::Tensor reference = network.Forward(AllInputs(data));
  const Evaluation expected = Expected(quantized.Forward(AllInputs(data)), reference, {});
  EXPECT_EQ(actual[1].total, 20);
  EXPECT_EQ(actual[1].correct, -1);
  EXPECT_TRUE(std::isnan(actual[1].accuracy));
  EXPECT_TRUE(std::isnan(actual[1].loss));
  EXPECT_NEAR(actual[1].agreement, expected.agreement, 1e-12);
  EXPECT_NEAR(actual[1].divergence, expected.divergence, 1e-6);
  EXPECT_EQ(actual[0].correct, -1);
  EXPECT_EQ(actual[0].agreement, 1);
  EXPECT_EQ(actual[0].divergence, 0);
}

/// 12 numbers each of a network's outputs under two plans.
struct Outputs {
  at::Tensor exact, quantized;
};

Outputs OutputsOf(const Network& network, const QuantizedNetwork& quantized, const Dataset& data) {
  return {network.Forward(AllInputs(data)).to(at::kDouble).flatten(),
          quantized.Forward(AllInputs(data)).to(at::kDouble).flatten()};
}

TEST(Evaluate, ComparesYesOrNoLabelByLabel) {
  const Network network = LoadModel("SharedInput");
  const at::Tensor x = AllInputs(Samples({3, 6}))[0];
  at::Tensor labels = torch::tensor({{1L, 0L, 0L, 1L}, {0L, 0L, 1L, 1L}, {1L, kIgnoredLabel, 0L, 0L}}, torch::kLong);
  const Dataset data = Dataset::FromTensors({x}, labels);
  const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 2, 32), data);
  const auto [exact, moved] = OutputsOf(network, quantized, data);
  labels = labels.flatten();
  std::int64_t right = 0, same = 0;
  double loss = 0, divergence = 0;
  for (std::int64_t i = 0; i < 12; ++i) {
    if (labels[i].item<std::int64_t>() == kIgnoredLabel) continue;
    const double z = moved[i].item<double>(), from = exact[i].item<double>(), q = 1 / (1 + std::exp(-z)),
                 p = 1 / (1 + std::exp(-from));
    const bool yes = labels[i].item<std::int64_t>() == 1;
    right += (z > 0) == yes;
    same += (z > 0) == (from > 0);
    loss -= std::log(yes ? q : 1 - q) / 11;
    divergence += (p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q))) / 11;
  }
  const Evaluation actual = Evaluate(network, {quantized}, data, 2)[1];
  EXPECT_EQ(actual.outputs, OutputKind::Binary);
  EXPECT_EQ(actual.total, 11);
  EXPECT_EQ(actual.correct, right);
  EXPECT_NEAR(actual.accuracy, static_cast<double>(right) / 11, 1e-12);
  EXPECT_NEAR(actual.agreement, static_cast<double>(same) / 11, 1e-12);
  EXPECT_NEAR(actual.loss, loss, 1e-6);
  EXPECT_NEAR(actual.divergence, divergence, 1e-6);
}

TEST(Evaluate, ComparesValuesBySquaredErrors) {
  const Network network = LoadModel("SharedInput");
  const at::Tensor x = AllInputs(Samples({3, 6}))[0], labels = torch::randn({3, 4});
  const Dataset data = Dataset::FromTensors({x}, labels);
  const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 2, 32), data);
  const auto [exact, moved] = OutputsOf(network, quantized, data);
  const Evaluation actual = Evaluate(network, {quantized}, data, 2)[1];
  EXPECT_EQ(actual.outputs, OutputKind::Values);
  EXPECT_EQ(actual.correct, -1);
  EXPECT_TRUE(std::isnan(actual.accuracy) && std::isnan(actual.agreement));
  EXPECT_NEAR(actual.loss, (moved - labels.flatten()).square().mean().item<double>(), 1e-6);
  EXPECT_NEAR(actual.divergence, (moved - exact).square().mean().item<double>(), 1e-6);
}

/// As if they were not there, whatever stands at them.
TEST(Evaluate, LeavesIgnoredPositionsOut) {
  const Network network = LoadModel("Tokens");
  const at::Tensor x = torch::randint(16, {10, 6}, torch::kLong);
  at::Tensor labels = torch::randint(5, {10, 6}, torch::kLong);
  labels.flatten().slice(0, 0, 60, 4).fill_(255);
  labels[3].fill_(kIgnoredLabel);
  DataOptions options;
  options.ignored_labels = {255};
  const Dataset data = Dataset::FromTensors({x}, labels, options);
  const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, 2, 32), data);
  const at::Tensor kept = labels.ne(255).logical_and(labels.ne(kIgnoredLabel));
  const auto rows = [&](const at::Tensor& y) { return y.index({kept}); };
  const std::vector<Evaluation> actual = Evaluate(network, {quantized}, data, 4);
  ExpectNear(actual[1], Expected(rows(quantized.Forward({x})), rows(network.Forward({x})), labels.index({kept})));
  for (const Evaluation& each : actual) EXPECT_DOUBLE_EQ(each.perplexity.value_or(0), std::exp(each.loss));
}

TEST(Evaluate, HasAPerplexityOfSequencesAlone) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Dataset::FromTensors({torch::randn({4, 6})}, torch::tensor({0, 1, 2, 3}, torch::kLong));
  EXPECT_FALSE(Evaluate(network, {}, data)[0].perplexity);
  const Dataset unlabelled = Dataset::FromTensors({torch::randint(16, {2, 6}, torch::kLong)}, {});
  EXPECT_FALSE(Evaluate(LoadModel("Tokens"), {}, unlabelled)[0].perplexity);
}

TEST(Evaluate, RefusesLabelsThatDoNotFit) {
  const Network network = LoadModel("SharedInput");
  const auto evaluate = [&](const at::Tensor& labels) {
    return MessageOf([&] { Evaluate(network, {}, Dataset::FromTensors({torch::randn({4, 6})}, labels)); });
  };
  EXPECT_THAT(evaluate(torch::tensor({0, 1, 2, 4}, torch::kLong)), AllOf(HasSubstr("label 4"), HasSubstr("4 classes")));
  EXPECT_THAT(evaluate(torch::zeros({4, 2}, torch::kLong)), AllOf(HasSubstr("[4, 2]"), HasSubstr("[N, 4]")));
  EXPECT_EQ(evaluate(torch::tensor({0, 1, 2, 3}, torch::kLong)), "no error");
}

TEST(Evaluate, SaysWhichNetworksOutputIsNotFinite) {
  const Network network = LoadModel("SharedInput");
  const Plan plan = [&] {
    Plan half = UniformPlan(network, 32, 16);
    half.corrections.output = OutputCorrection::None;
    return half;
  }();
  const auto quantized = QuantizedNetwork::Create(network, plan, Samples({4, 6}));
  const auto evaluate = [&](double magnitude, const std::vector<QuantizedNetwork>& networks) {
    return MessageOf([&] { Evaluate(network, networks, SignPatterns(6, magnitude)); });
  };
  EXPECT_THAT(evaluate(3e38, {quantized}), AllOf(HasSubstr("float network"), HasSubstr("finite")));
  // 1e5 does not fit float16.
  EXPECT_THAT(evaluate(1e5, {quantized}), AllOf(HasSubstr("quantized network"), HasSubstr("finite")));
  EXPECT_THAT(evaluate(1, {quantized}), "no error");
}

TEST(Evaluate, RefusesBadBatchSizesAndInputs) {
  const Network network = LoadModel("SharedInput");
  EXPECT_THROW(Evaluate(network, {}, Samples({4, 6}), 0), Error);
  EXPECT_THROW(Evaluate(network, {}, Samples({4, 7})), Error);
}

TEST(Evaluate, StopsWhenTheCallbackThrows) {
  struct Stop {};
  const auto stop = [](const Progress& progress) {
    if (progress.done > 0) throw Stop();
  };
  EXPECT_THROW(Evaluate(LoadModel("SharedInput"), {}, Samples({4, 6}), 2, stop), Stop);
}

}  // namespace
}  // namespace bitplan::evaluate
