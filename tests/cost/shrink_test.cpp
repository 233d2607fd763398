#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bitplan/cost.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

/// Layers whose figures are `ratios` times their relative errors, each with this relative standard error.
Sensitivity WithRatios(const std::vector<double>& ratios, double relative_standard_error) {
  Sensitivity sensitivity;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    LayerSensitivity& layer =
        sensitivity.layers.emplace_back(ExampleLayer("layer" + std::to_string(i), "conv2d", 100, 100));
    for (Perturbation& choice : layer.weight_choices) {
      const double figure = ratios[i] * choice.relative_error;
      choice.figures[Measure::LogitShift] = {figure, relative_standard_error * figure};
    }
    for (Perturbation& choice : layer.activation_choices) choice.figures.clear();
  }
  return sensitivity;
}

double RatioOf(const Sensitivity& sensitivity, std::size_t layer) {
  const Perturbation& choice = sensitivity.layers[layer].weight_choices.front();
  return choice.figures.at(Measure::LogitShift).value / choice.relative_error;
}

TEST(ShrinkFigures, LeavesPreciseFiguresAlmostAsTheyAre) {
  const Sensitivity given = WithRatios({1, 2, 4, 8, 16}, 1e-3);
  const Sensitivity shrunk = ShrinkFigures(given, Measure::LogitShift);
  for (std::size_t i = 0; i < given.layers.size(); ++i)
    EXPECT_NEAR(RatioOf(shrunk, i), RatioOf(given, i), 1e-3 * RatioOf(given, i));
}

TEST(ShrinkFigures, PullsNoisyLayersToTheirCommonRatio) {
  // The spread of the logarithms, 0.1, is less than what a standard error of 0.5 explains: nothing is left of it.
  const Sensitivity given = WithRatios({1, 1.1, 0.9, 1.05, 0.95}, 0.5);
  const Sensitivity shrunk = ShrinkFigures(given, Measure::LogitShift);
  for (std::size_t i = 0; i < given.layers.size(); ++i) EXPECT_NEAR(RatioOf(shrunk, i), 1, 0.01);
}

/// With equal standard errors s and a prior variance τ² the posterior keeps τ² / (τ² + s²) of every distance from the
/// mean.
TEST(ShrinkFigures, KeepsTheShareOfEveryDistanceThatIsNotNoise) {
  const Sensitivity given = WithRatios({1, 2, 4, 8, 16}, 0.8);
  const Sensitivity shrunk = ShrinkFigures(given, Measure::LogitShift);
  const double spread = 2.5 * std::log(2) * std::log(2);  // sample variance of the logarithms
  const double kept = (spread - 0.64) / spread;
  for (std::size_t i = 0; i < given.layers.size(); ++i)
    EXPECT_NEAR(std::log(RatioOf(shrunk, i) / 4), kept * std::log(RatioOf(given, i) / 4), 1e-6) << i;
}

TEST(ShrinkFigures, CountsAFigureBelowItsStandardErrorAsThat) {
  Sensitivity given = WithRatios({1, 1, 1, 1}, 0.2);
  Estimate& figure = given.layers[2].weight_choices[0].figures.at(Measure::LogitShift);
  figure.value = -figure.value;
  const Sensitivity shrunk = ShrinkFigures(given, Measure::LogitShift);
  for (const LayerSensitivity& layer : shrunk.layers)
    for (const Perturbation& choice : layer.weight_choices) EXPECT_GT(choice.figures.at(Measure::LogitShift).value, 0);
}

/// Figures of another measure are compared with √(relative error · logit shift): noisy ones end up proportional to
/// that.
TEST(ShrinkFigures, PullsOtherMeasuresToTheErrorsAndTheShiftsOfTheOutput) {
  Sensitivity given = WithRatios({1, 4, 9, 16, 25}, 0.03);
  const std::vector<double> noise = {1.1, 0.9, 1.05, 0.95, 1.0};
  const auto reference = [](const Perturbation& choice) {
    return std::sqrt(choice.relative_error * choice.figures.at(Measure::LogitShift).value);
  };
  for (std::size_t i = 0; i < given.layers.size(); ++i)
    for (Perturbation& choice : given.layers[i].weight_choices) {
      const double figure = 7 * reference(choice) * noise[i];
      choice.figures[Measure::Divergence] = {figure, 0.5 * figure};
    }
  for (const LayerSensitivity& layer : ShrinkFigures(given, Measure::Divergence).layers)
    for (const Perturbation& choice : layer.weight_choices)
      EXPECT_NEAR(choice.figures.at(Measure::Divergence).value, 7 * reference(choice), 0.08 * reference(choice));
}

TEST(ShrinkFigures, LeavesMeasuresWithoutStandardErrorsAlone) {
  const Sensitivity given = WithRatios({1, 2, 3, 4}, 0);
  const Sensitivity shrunk = ShrinkFigures(given, Measure::LogitShift);
  for (std::size_t i = 0; i < given.layers.size(); ++i) EXPECT_EQ(RatioOf(shrunk, i), RatioOf(given, i));
  EXPECT_EQ(MakeProblem(given, {.measure = Measure::Trace, .budgets = {}, .pins = {}}).groups[0].choices[0].objective,
            MakeProblem(ShrinkFigures(given, Measure::Trace), {.measure = Measure::Trace, .budgets = {}, .pins = {}})
                .groups[0]
                .choices[0]
                .objective);
}

}  // namespace
}  // namespace bitplan::cost
