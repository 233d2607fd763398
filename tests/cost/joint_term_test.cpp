#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

/// The example with a shift for every choice: its number in the first class, its negative in the second.
Sensitivity WithShifts() {
  Sensitivity sensitivity = ExampleSensitivity();
  OutputShifts shifts{1, 2, {0.5F, -0.5F}, {}};
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
      for (const Perturbation& choice : layer.*kind)
        if (choice.bits < 32) {
          const auto number = static_cast<float>(shifts.shifts.size() / 2 + 1);
          shifts.shifts.insert(shifts.shifts.end(), {number, -number});
        }
  sensitivity.shifts = shifts;
  return sensitivity;
}

TEST(JointProblem, OfAJointMeasureAddsUpTheShiftsOfWeightAndInput) {
  ProblemOptions options;
  options.joint = true;
  options.measure = Measure::LogitShift;
  const Problem problem = MakeProblem(WithShifts(), options);
  problem.Validate();
  const auto& term = std::get<LogitTerm>(*problem.joint);
  EXPECT_EQ(term.loss, LogitLoss::SquaredShift);
  // Of each layer, w2, w4, w8 and a8: numbers 1 to 4, 5 to 8 and so on.
  ASSERT_EQ(problem.groups[1].choices.size(), 6U);
  for (std::size_t k = 0; k < 6; ++k) {
    const LayerBits bits = BitsOfChoice(problem.groups[1], problem.groups[1].choices[k])[0];
    const float weight = bits.weight_bits == 2 ? 5 : (bits.weight_bits == 4 ? 6 : 7);
    const float expected = weight + (bits.activation_bits == 8 ? 8.0F : 0.0F);
    EXPECT_EQ(term.shifts[(6 + k) * 2], expected);
    EXPECT_EQ(term.shifts[(6 + k) * 2 + 1], -expected);
    EXPECT_EQ(problem.groups[1].choices[k].objective, 0);
  }
}

TEST(JointProblem, OfAJointDivergenceHasTheLogitsAndTheTemperature) {
  ProblemOptions options;
  options.joint = true;
  options.measure = Measure::Divergence;
  Sensitivity sensitivity = WithShifts();
  sensitivity.temperature = 4;
  for (LayerSensitivity& layer : sensitivity.layers)
    for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
      for (Perturbation& choice : layer.*kind) choice.figures[Measure::Divergence] = {1, 0};
  const Problem problem = MakeProblem(sensitivity, options);
  const auto& term = std::get<LogitTerm>(*problem.joint);
  EXPECT_EQ(term.loss, LogitLoss::Divergence);
  EXPECT_EQ(term.temperature, 4);
  EXPECT_EQ(term.logits, sensitivity.shifts->logits);
}

TEST(JointProblem, RefusesAJointProblemWithoutShiftsOrOfOtherMeasures) {
  ProblemOptions options;
  options.joint = true;
  options.measure = Measure::LogitShift;
  EXPECT_THAT([&] { MakeProblem(ExampleSensitivity(), options); }, OneLineError("--shifts"));
  options.measure = Measure::Trace;
  EXPECT_THAT([&] { MakeProblem(WithShifts(), options); },
              OneLineError("logit-shift, divergence, gauss-newton and quadratic"));
}

}  // namespace
}  // namespace bitplan::cost
