// Figures of networks whose output is something else than one vector of classes, against their definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/quantize.h"
#include "hessian/scripted_network.h"

namespace bitplan::hessian {
namespace {

AnalyzeOptions WeightsAlone() {
  AnalyzeOptions options;
  options.weight_bits = {3};
  options.channel_correction = false;
  options.measures = {Measure::GaussNewton, Measure::LogitShift, Measure::Divergence, Measure::Quadratic,
                      Measure::SingleLoss,  Measure::Trace,      Measure::Fisher};
  return options;
}

/// The figure of the only layer's only width.
double FigureOf(const Sensitivity& sensitivity, Measure measure) {
  return sensitivity.layers.at(0).weight_choices.at(0).figures.at(measure).value;
}

at::Tensor Quantized(const Network& network) {
  return QuantizeWeight(network.Weight(network.layers()[0]), DefaultWeightFormat().WithBits(3), 0).value;
}

/// y = Wx, as [N, 1] and as [N].
class OneOutput : public testing::TestWithParam<std::string> {
 protected:
  OneOutput() {
    torch::manual_seed(1);
    x_ = torch::randn({30, 5});
    weight_ = torch::randn({1, 5});
  }
  Network Make() const {
    return ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)" + GetParam() + "\n",
                           weight_);
  }
  at::Tensor x_, weight_;
};

TEST_P(OneOutput, IsJudgedBySquaredErrors) {
  const Network network = Make();
  const Sensitivity sensitivity = Analyze(network, Dataset::FromTensors({x_}, {}), WeightsAlone());
  EXPECT_EQ(sensitivity.loss, Loss::MeanSquaredError);
  EXPECT_EQ(sensitivity.outputs, OutputKind::Values);
  const double squares = x_.matmul((Quantized(network) - weight_).t()).square().mean().item<double>();
  ASSERT_GT(squares, 1e-4);
  for (const Measure measure : {Measure::GaussNewton, Measure::Divergence, Measure::Quadratic, Measure::SingleLoss})
    EXPECT_NEAR(FigureOf(sensitivity, measure), squares, 1e-5 * squares) << ToString(measure);
  EXPECT_NEAR(FigureOf(sensitivity, Measure::LogitShift), squares / 2, 1e-5 * squares);
  EXPECT_NEAR(*sensitivity.layers[0].weight.trace, 2 * x_.square().sum(1).mean().item<double>(), 1e-3);
}

TEST_P(OneOutput, WithLabelsZeroAndOneIsYesOrNo) {
  const Network network = Make();
  const at::Tensor labels = x_.select(1, 0).gt(0).to(torch::kLong);
  const Sensitivity sensitivity = Analyze(network, Dataset::FromTensors({x_}, labels), WeightsAlone());
  EXPECT_EQ(sensitivity.loss, Loss::BinaryCrossEntropy);
  const at::Tensor z = x_.matmul(weight_.t()).to(torch::kDouble).flatten(),
                   moved = x_.matmul(Quantized(network).t()).to(torch::kDouble).flatten(), p = z.sigmoid();
  const auto loss = [&](const at::Tensor& of) {
    const at::Tensor yes = labels.to(torch::kDouble);
    return -(yes * of.sigmoid().log() + (1 - yes) * (1 - of.sigmoid()).log()).mean().item<double>();
  };
  const double curved = (p * (1 - p) * (moved - z).square()).mean().item<double>() / 2;
  EXPECT_NEAR(FigureOf(sensitivity, Measure::GaussNewton), curved, 1e-4 * curved);
  EXPECT_NEAR(FigureOf(sensitivity, Measure::SingleLoss), loss(moved) - loss(z), 1e-5);
  EXPECT_NEAR(*sensitivity.layers[0].weight.trace, (p * (1 - p) * x_.square().sum(1)).mean().item<double>(), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Shapes, OneOutput, testing::Values("", ".squeeze(1)"),
                         [](const auto& each) { return each.param.empty() ? "Column" : "Vector"; });

/// Positions that are ignored might as well not be there.
TEST(IgnoredLabels, LeaveTheFiguresOfTheOthers) {
  torch::manual_seed(2);
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)\n", torch::randn({4, 5}));
  const at::Tensor x = torch::randn({8, 6, 5});
  at::Tensor labels = torch::randint(4, {8, 6}, torch::kLong);
  labels.select(1, 2).fill_(kIgnoredLabel);
  labels[3].fill_(kIgnoredLabel);
  labels[5].slice(0, 0, 5).fill_(kIgnoredLabel);
  const at::Tensor kept = labels.ne(kIgnoredLabel);
  AnalyzeOptions options = WeightsAlone();
  options.keep_shifts = true;
  const Sensitivity all = Analyze(network, Dataset::FromTensors({x}, labels), options),
                    alone = Analyze(network, Dataset::FromTensors({x.index({kept})}, labels.index({kept})), options);
  for (const Measure measure : options.measures)
    if (HasFigures(measure)) {
      EXPECT_NEAR(FigureOf(all, measure), FigureOf(alone, measure), 1e-4 * std::abs(FigureOf(alone, measure)))
          << ToString(measure);
    }
  EXPECT_NEAR(*all.layers[0].weight.trace, *alone.layers[0].weight.trace, 1e-3 * *alone.layers[0].weight.trace);
  EXPECT_EQ(all.shifts->samples, alone.shifts->samples);
  EXPECT_EQ(all.shifts->logits.size(), alone.shifts->logits.size());
  for (std::size_t i = 0; i < all.shifts->shifts.size(); ++i)
    EXPECT_NEAR(all.shifts->shifts[i], alone.shifts->shifts[i], 1e-5);
  EXPECT_EQ(all.contributions->predictions, (std::vector<std::int64_t>{5, 5, 5, 0, 5, 1, 5, 5}));
  EXPECT_TRUE(alone.contributions->predictions.empty());
}

/// ½ ‖centered shift‖² of every prediction, [samples, predictions], of the network y = x Wᵀ with W at 3 bits.
at::Tensor SquaredShifts(const Network& network, const at::Tensor& x) {
  const at::Tensor change = Quantized(network) - network.Weight(network.layers()[0]);
  const at::Tensor shift = x.matmul(change.t()).to(torch::kDouble);
  return (shift - shift.mean(-1, true)).square().sum(-1) / 2;
}

/// Where samples are taken until a precision is reached, a figure is the mean over the predictions of those seen.
TEST(IgnoredLabels, CountAmongTheSamplesThatAPrecisionTook) {
  torch::manual_seed(4);
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)\n", torch::randn({4, 5}));
  const at::Tensor x = torch::randn({512, 6, 5});
  at::Tensor labels = torch::randint(4, {512, 6}, torch::kLong);
  labels.slice(0, 0, 256).slice(1, 1, 6).fill_(kIgnoredLabel);  // those that come first have one prediction, or none
  labels.slice(0, 0, 256, 5).fill_(kIgnoredLabel);
  const Dataset data = Dataset::FromTensors({x}, labels);
  AnalyzeOptions options = WeightsAlone();
  options.measures = {Measure::LogitShift, Measure::GaussNewton, Measure::SingleLoss};
  options.precision = 0.3;
  const Sensitivity some = Analyze(network, data, options);
  ASSERT_LT(some.samples, 256);
  const at::Tensor kept = labels.slice(0, 0, some.samples).ne(kIgnoredLabel);
  const at::Tensor squares = SquaredShifts(network, x.slice(0, 0, some.samples)).masked_select(kept);
  EXPECT_NEAR(FigureOf(some, Measure::LogitShift), squares.mean().item<double>(), 1e-5 * squares.mean().item<double>());

  options.precision = 0;
  const Sensitivity whole = Analyze(network, data.First(some.samples), options);
  for (const Measure measure : options.measures) {
    const Estimate &of_some = some.layers[0].weight_choices[0].figures.at(measure),
                   &of_whole = whole.layers[0].weight_choices[0].figures.at(measure);
    EXPECT_NEAR(of_some.value, of_whole.value, 1e-9 * std::abs(of_whole.value)) << ToString(measure);
    EXPECT_NEAR(of_some.standard_error, of_whole.standard_error, 1e-9 * of_whole.standard_error) << ToString(measure);
  }
  EXPECT_EQ(some.contributions->predictions, whole.contributions->predictions);
  ASSERT_EQ(some.contributions->values.size(), whole.contributions->values.size());
  for (std::size_t i = 0; i < some.contributions->values.size(); ++i)
    EXPECT_NEAR(some.contributions->values[i], whole.contributions->values[i], 1e-9);
}

/// Samples without a prediction say nothing of how well a figure is known, however many they are.
TEST(IgnoredLabels, AreNoReasonToStop) {
  torch::manual_seed(5);
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)\n", torch::randn({4, 5}));
  const at::Tensor x = torch::randn({256, 6, 5});
  at::Tensor labels = torch::randint(4, {256, 6}, torch::kLong);
  labels.slice(0, 0, 150).fill_(kIgnoredLabel);
  AnalyzeOptions options = WeightsAlone();
  options.measures = {Measure::LogitShift};
  options.precision = 0.9;
  const Sensitivity sensitivity = Analyze(network, Dataset::FromTensors({x}, labels), options);
  EXPECT_GE(sensitivity.samples, 150 + 32);
  const at::Tensor squares = SquaredShifts(network, x.slice(0, 150, sensitivity.samples));
  EXPECT_NEAR(FigureOf(sensitivity, Measure::LogitShift), squares.mean().item<double>(),
              1e-5 * squares.mean().item<double>());
}

/// Memory is tried out on the first sample alone, which may have no label that counts.
TEST(IgnoredLabels, OfTheFirstSamplesLeaveTheExactHessianOfTheOthers) {
  torch::manual_seed(6);
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)\n", torch::randn({4, 5}));
  const at::Tensor x = torch::randn({8, 5});
  at::Tensor labels = torch::randint(4, {8}, torch::kLong);
  labels.slice(0, 0, 3).fill_(kIgnoredLabel);
  AnalyzeOptions options = WeightsAlone();
  options.measures = {Measure::Trace};
  options.exact_hessian = true;
  options.trace.tolerance = 1e-6;
  options.trace.max_probes = 400;
  const Sensitivity all = Analyze(network, Dataset::FromTensors({x}, labels), options);
  // Of the mean cross entropy over the predictions that count: Σ_c p_c (1 − p_c) ‖x‖².
  const at::Tensor p = x.matmul(network.Weight(network.layers()[0]).t()).to(torch::kDouble).softmax(1);
  const at::Tensor traces = (p * (1 - p)).sum(1) * x.square().sum(1);
  const double trace = traces.slice(0, 3).mean().item<double>();
  EXPECT_NEAR(*all.layers[0].weight.trace, trace, 4 * all.layers[0].weight.trace_standard_error + 1e-4 * trace);
  EXPECT_LT(all.layers[0].weight.trace_standard_error, 0.1 * trace);
}

TEST(IgnoredLabels, AreKeptWithTheData) {
  torch::manual_seed(7);
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    return torch.linear(x, self.weight)\n", torch::randn({4, 5}));
  DataOptions ignoring;
  ignoring.ignored_labels = {255};
  const at::Tensor labels = torch::tensor({255L, 1L, 2L, 3L}, torch::kLong);
  AnalyzeOptions options = WeightsAlone();
  options.measures = {Measure::LogitShift};
  const Dataset data = Dataset::FromTensors({torch::randn({4, 5})}, labels, ignoring);
  EXPECT_EQ(Analyze(network, data, options).data.ignored_labels, std::vector<std::int64_t>{255});
}

/// The loss is concave in a weight behind which the wrong class saturates: no layer is free for that.
TEST(NegativeCurvature, IsNotFree) {
  const Network network =
      ScriptedNetwork("def forward(self, x):\n    y = torch.linear(x, self.weight)\n    return -torch.square(y)\n",
                      torch::tensor({{0.5F}, {1.0F}}));
  const Dataset data = Dataset::FromTensors({torch::ones({4, 1})}, torch::zeros({4}, torch::kLong));
  AnalyzeOptions options;
  options.weight_bits = {3};
  options.exact_hessian = true;
  options.measures = {Measure::Eigenvalue, Measure::Trace};
  const Sensitivity sensitivity = Analyze(network, data, options);
  const LayerSensitivity& layer = sensitivity.layers.at(0);
  // ℓ(w) = w₀² + log(e^(−w₀²) + e^(−w₁²)); its Hessian by central differences.
  const auto loss = [](double a, double b) { return a * a + std::log(std::exp(-a * a) + std::exp(-b * b)); };
  constexpr double kStep = 1e-3;
  const auto second = [&](int i, int j) {
    const auto at = [&](double s, double t) {
      return loss(0.5 + s * (i == 0) + t * (j == 0), 1 + s * (i == 1) + t * (j == 1));
    };
    return (at(kStep, kStep) - at(kStep, -kStep) - at(-kStep, kStep) + at(-kStep, -kStep)) / (4 * kStep * kStep);
  };
  const double a = second(0, 0), b = second(0, 1), c = second(1, 1), half = (a + c) / 2,
               root = std::sqrt((a - c) * (a - c) / 4 + b * b);
  const double largest = std::abs(half + root) > std::abs(half - root) ? half + root : half - root;
  EXPECT_NEAR(*layer.weight.eigenvalue, largest, 1e-3);
  EXPECT_NEAR(PredictedCost(layer.weight, {3, 2.0, 1.0}, Measure::Eigenvalue, 0), 2 * std::abs(largest), 2e-3);
}

}  // namespace
}  // namespace bitplan::hessian
