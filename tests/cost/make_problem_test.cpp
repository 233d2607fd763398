#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "bitplan/cost.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Names(const Group& group) {
  std::vector<std::string> names;
  for (const Choice& choice : group.choices) names.push_back(choice.name);
  return names;
}

/// The first three layers read one tensor.
Sensitivity Tied() {
  Sensitivity sensitivity = ExampleSensitivity();
  for (std::size_t i : {0, 1, 2}) sensitivity.layers[i].tied_group = 5;
  return sensitivity;
}

TEST(MakeProblem, OffersEveryPairOfWidthsInAscendingOrder) {
  const Problem problem = MakeProblem(ExampleSensitivity(), {});
  ASSERT_EQ(problem.groups.size(), 4U);
  EXPECT_EQ(problem.groups[1].name, "block.conv1");
  EXPECT_THAT(problem.groups[1].members, ElementsAre("block.conv1"));
  EXPECT_THAT(Names(problem.groups[1]), ElementsAre("w2a8", "w2a32", "w4a8", "w4a32", "w8a8", "w8a32"));
  EXPECT_TRUE(problem.budgets.empty());
  EXPECT_NO_THROW(problem.Validate());
}

TEST(MakeProblem, SumsObjectivesAndCostsOfWeightAndInput) {
  ProblemOptions options;
  options.measure = Measure::Trace;
  const Problem problem = MakeProblem(ExampleSensitivity(), options);
  const Choice& choice = problem.groups[1].choices[2];  // w4a8
  // Weight: 10 / 2304 · 160 / 4⁴; input: 5 / 100 · 655360 / 4⁸.
  EXPECT_DOUBLE_EQ(choice.objective, 10.0 / 2304 * 0.625 + 0.05 * 10);
  EXPECT_DOUBLE_EQ(problem.groups[1].choices[3].objective, 10.0 / 2304 * 0.625);
  EXPECT_EQ(choice.costs.at("weight_size_bytes"), 1152);
  EXPECT_EQ(choice.costs.at("bops"), 2359296.0 * 32);
  EXPECT_DOUBLE_EQ(choice.costs.at("average_bits"), 4.0 * 2304 / 5680);
}

TEST(MakeProblem, JoinsLayersThatReadTheSameTensor) {
  ProblemOptions options;
  options.measure = Measure::WeightError;
  const Problem problem = MakeProblem(Tied(), options);
  ASSERT_EQ(problem.groups.size(), 2U);
  const Group& group = problem.groups[0];
  EXPECT_EQ(group.name, "conv1+block.conv1+block.conv2");
  EXPECT_THAT(group.members, ElementsAre("conv1", "block.conv1", "block.conv2"));
  EXPECT_EQ(group.choices.size(), 3U * 3 * 3 * 2);
  const std::vector<std::string> names = Names(group);
  EXPECT_EQ(names[0], "w2a8");
  EXPECT_EQ(names[1], "w2a32");
  EXPECT_EQ(names[2], "w2-2-4a8");
  EXPECT_EQ(names.back(), "w8a32");
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());

  const Choice& choice = group.choices[2];
  EXPECT_EQ(choice.costs.at("weight_size_bytes"), 432 / 4.0 + 2304 / 4.0 + 2304 / 2.0);
  EXPECT_EQ(choice.costs.at("bops"), 8.0 * (442368 * 2 + 2359296 * 2 + 2359296 * 4));
  EXPECT_DOUBLE_EQ(choice.objective,
                   10 + 10 + 0.625 + 3 * 10);  // weight error: 160/4², 160/4², 160/4⁴, and 10 an input
}

TEST(MakeProblem, GivesGroupsTheShapeOfTheirFirstLayerAndTheParametersOfAll) {
  Sensitivity sensitivity = Tied();
  ProblemOptions options;
  options.measure = Measure::WeightError;
  EXPECT_EQ(MakeProblem(sensitivity, options).groups[0].shape, std::nullopt);
  sensitivity.layers[0].shape = LayerShape{3, 16, 3, 1, 32, 432, false};
  sensitivity.layers[1].shape = LayerShape{16, 16, 3, 1, 32, 2304, false};
  const Problem problem = MakeProblem(sensitivity, options);
  EXPECT_EQ(problem.groups[0].shape, (LayerShape{3, 16, 3, 1, 32, 432 + 2304 + 2304, false}));
  EXPECT_EQ(problem.groups[1].shape, std::nullopt);
}

TEST(MakeProblem, LeavesTiedLayersApartWhereOneActivationWidthIsLeft) {
  ProblemOptions options;
  options.pins = {ParsePin("conv2d=a8")};
  EXPECT_EQ(MakeProblem(Tied(), options).groups.size(), 4U);
  Sensitivity sensitivity = Tied();
  for (LayerSensitivity& layer : sensitivity.layers) layer.activation_choices = Choices({32}, 0);
  EXPECT_EQ(MakeProblem(sensitivity, {}).groups.size(), 4U);
}

TEST(MakeProblem, TakesTheActivationWidthThatTiedLayersHaveInCommon) {
  ProblemOptions options;
  options.pins = {ParsePin("conv1=a8")};
  const Problem problem = MakeProblem(Tied(), options);
  for (const Choice& choice : problem.groups[0].choices) EXPECT_TRUE(choice.name.ends_with("a8")) << choice.name;
  options.pins.push_back(ParsePin("block.conv1=a32"));
  EXPECT_THAT([&] { MakeProblem(Tied(), options); }, OneLineError("conv1", "no activation width in common"));
}

Sensitivity ManyTied(int count) {
  Sensitivity sensitivity;
  for (int i = 0; i < count; ++i) {
    sensitivity.layers.push_back(ExampleLayer("head" + std::to_string(i), "linear", 100, 100));
    sensitivity.layers.back().tied_group = 0;
  }
  return sensitivity;
}

TEST(MakeProblem, SharesTheWeightWidthWhereCombinationsAreTooMany) {
  EXPECT_EQ(MakeProblem(ManyTied(6), {}).groups[0].choices.size(), 2U * 729);
  const Problem problem = MakeProblem(ManyTied(40), {});
  EXPECT_THAT(Names(problem.groups[0]), ElementsAre("w2a8", "w2a32", "w4a8", "w4a32", "w8a8", "w8a32"));
}

TEST(MakeProblem, SharesTheWidthAmongTheLayersThatAreNotPinned) {
  ProblemOptions options;
  options.pins = {ParsePin("head0=8"), ParsePin("head3=2")};
  const Group group = MakeProblem(ManyTied(9), options).groups[0];
  ASSERT_EQ(group.choices.size(), 6U);
  EXPECT_EQ(group.choices[0].name, "w8-2-2-2-2-2-2-2-2a8");
  EXPECT_EQ(group.choices[5].name, "w8-8-8-2-8-8-8-8-8a32");
}

TEST(MakeProblem, RefusesManyTiedLayersWithoutACommonActivationWidthAtOnce) {
  ProblemOptions options;
  options.pins = {ParsePin("head0=a8"), ParsePin("head1=a32")};
  EXPECT_THAT([&] { MakeProblem(ManyTied(40), options); }, OneLineError("no activation width in common"));
}

TEST(MakeProblem, LeavesThePairsOfWidthsThatGoTogether) {
  Sensitivity sensitivity = ExampleSensitivity();
  for (LayerSensitivity& layer : sensitivity.layers) layer.activation_choices = Choices({4, 8}, 655360);
  sensitivity.layers[3].activation_choices = Choices({32}, 0);  // cannot be quantized
  ProblemOptions options;
  options.width_rule = WidthRule::Equal;
  Problem problem = MakeProblem(sensitivity, options);
  EXPECT_THAT(Names(problem.groups[0]), ElementsAre("w4a4", "w8a8"));
  EXPECT_THAT(Names(problem.groups[3]), ElementsAre("w2a32", "w4a32", "w8a32"));
  options.width_rule = WidthRule::Ordered;
  problem = MakeProblem(sensitivity, options);
  EXPECT_THAT(Names(problem.groups[0]), ElementsAre("w2a4", "w2a8", "w4a4", "w4a8", "w8a8"));
  options.width_rule = WidthRule::Equal;
  options.pins = {ParsePin("conv1=w2")};
  EXPECT_THAT([&] { MakeProblem(sensitivity, options); }, OneLineError("conv1", "'equal'"));
}

TEST(MakeProblem, GivesChoicesTheStandardErrorsOfTheirFigures) {
  ProblemOptions options;
  options.measure = Measure::LogitShift;
  options.shrink = false;
  const Problem problem = MakeProblem(ExampleSensitivity(), options);
  // a tenth of the squared error: 1 for a weight at 2 bits, 1 for an input at 8 bits
  EXPECT_DOUBLE_EQ(problem.groups[0].choices[0].standard_error, std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(problem.groups[0].choices[1].standard_error, 1.0);
}

TEST(MakeProblem, ResolvesPercentagesAgainstTheFloatNetwork) {
  ProblemOptions options;
  options.budgets = {ParseBudget("weight_size=12.5%"), ParseBudget("bops=1M"), ParseBudget("average_bits=4")};
  const auto budgets = MakeProblem(ExampleSensitivity(), options).budgets;
  EXPECT_EQ(budgets.at("weight_size_bytes"), 5680 * 4 / 8.0);
  EXPECT_EQ(budgets.at("bops"), 1e6);
  EXPECT_EQ(budgets.at("average_bits"), 4);
}

TEST(MakeProblem, RefusesWhatCannotBeABudget) {
  ProblemOptions options;
  options.budgets = {ParseBudget("weight_size=12.5%"), ParseBudget("weight_size=10KiB")};
  EXPECT_THAT([&] { MakeProblem(ExampleSensitivity(), options); }, OneLineError("weight_size_bytes", "twice"));
  options.budgets = {{"latency_ms", 3, false}};
  EXPECT_THAT([&] { MakeProblem(ExampleSensitivity(), options); }, OneLineError("latency_ms", "weight_size_bytes"));
}

TEST(MakeProblem, TakesABudgetOnATableOfTheNameThatWasWritten) {
  Sensitivity sensitivity = ExampleSensitivity();
  CostTable table;
  table.cost = "latency";
  table.weight_bits = {2, 4, 8, 32};
  for (const LayerSensitivity& layer : sensitivity.layers) table.layers.push_back({layer.name, {2, 4, 8, 32}});
  AddCosts(sensitivity, {table});
  ProblemOptions options;
  options.budgets = {ParseBudget("latency=20")};
  EXPECT_EQ(MakeProblem(sensitivity, options).budgets, (std::map<std::string, double>{{"latency", 20}}));
  options.budgets = {ParseBudget("latency=50%")};
  EXPECT_EQ(MakeProblem(sensitivity, options).budgets.at("latency"), 16.0 * static_cast<double>(table.layers.size()));
  options.budgets = {ParseBudget("latency=20us")};
  EXPECT_THAT([&] { MakeProblem(sensitivity, options); },
              OneLineError("its table is called latency", "units of us", "call the table latency_ms"));
  table.cost = "latency_ms";
  AddCosts(sensitivity, {table});
  EXPECT_DOUBLE_EQ(MakeProblem(sensitivity, options).budgets.at("latency_ms"), 0.02);
}

TEST(MakeProblem, RefusesAMeasureWithoutFiguresAndAFileWithoutLayers) {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.layers[3].weight.trace.reset();
  ProblemOptions options;
  options.measure = Measure::Trace;
  EXPECT_THAT([&] { MakeProblem(sensitivity, options); }, OneLineError("trace"));
  EXPECT_THAT([] { MakeProblem({}, {}); }, OneLineError("no layers"));
}

TEST(BitsOfChoice, ReadsBackEveryChoiceOfAProblem) {
  const Problem problem = MakeProblem(Tied(), {});
  const Group& group = problem.groups[0];
  std::size_t at = 0;
  for (const int first : {2, 4, 8})
    for (const int second : {2, 4, 8})
      for (const int third : {2, 4, 8})
        for (const int activation : {8, 32}) {
          const std::vector<LayerBits> bits = BitsOfChoice(group, group.choices[at++]);
          ASSERT_EQ(bits.size(), 3U);
          EXPECT_EQ(bits[0].layer, "conv1");
          EXPECT_EQ(bits[0].weight_bits, first);
          EXPECT_EQ(bits[1].weight_bits, second);
          EXPECT_EQ(bits[2].weight_bits, third);
          for (const LayerBits& each : bits) EXPECT_EQ(each.activation_bits, activation);
        }
}

TEST(BitsOfChoice, RefusesOtherNames) {
  for (const char* name : {"", "w", "a", "wa", "w4", "a8", "4a8", "w4a", "wa8", "w4-a8", "w-4a8", "w4-4a8", "w9a8",
                           "w4a12", "w4a8b", "w4 a8", "w444a8", "int4"})
    EXPECT_THAT([&] { BitsOfChoice({"group", {"a", "b", "c"}, {}}, {name, 0, {}}); }, OneLineError("group", name))
        << name;
}

}  // namespace
}  // namespace bitplan::cost
