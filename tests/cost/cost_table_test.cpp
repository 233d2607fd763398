#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::cost {
namespace {

using ::testing::UnorderedElementsAre;

std::vector<std::string> Names(const Sensitivity& sensitivity) {
  std::vector<std::string> names;
  for (const LayerSensitivity& layer : sensitivity.layers) names.push_back(layer.name);
  return names;
}

/// Ten thousands of the layer, hundreds of the weight's width, ones of the input's.
CostTable Numbered(const std::string& cost, std::vector<int> weights = {2, 4, 8, 32},
                   std::vector<int> activations = {8, 32}) {
  return Tabulate(cost, "numbered", weights, activations, Names(ExampleSensitivity()),
                  [](std::size_t layer, int weight, int activation) {
                    return 1e4 * static_cast<double>(layer) + 100 * weight + activation;
                  });
}

Sensitivity WithCosts(const std::vector<CostTable>& tables) {
  Sensitivity sensitivity = ExampleSensitivity();
  AddCosts(sensitivity, tables);
  return sensitivity;
}

ProblemOptions Within(const std::vector<BudgetSpec>& budgets) {
  ProblemOptions options;
  options.budgets = budgets;
  return options;
}

TEST(CostTable, GivesEveryChoiceOfAProblemItsNumber) {
  CostTable table = Numbered("latency_ms");
  table.fixed = 7e6;
  std::reverse(table.layers.begin(), table.layers.end());
  const Problem problem = MakeProblem(WithCosts({table}), Within({{"latency_ms", 1e9, false}}));
  for (std::size_t g = 0; g < 4; ++g)
    for (const Choice& choice : problem.groups[g].choices) {
      const LayerBits bits = BitsOfChoice(problem.groups[g], choice)[0];
      EXPECT_EQ(choice.costs.at("latency_ms"),
                1e4 * static_cast<double>(g) + 100 * bits.weight_bits + bits.activation_bits + (g == 0 ? 7e6 : 0));
    }
}

TEST(CostTable, WithoutWidthsOfOneKindCountsForAllOfThem) {
  const CostTable weights = Numbered("of_weights", {2, 4}, {}), inputs = Numbered("of_inputs", {}, {8, 32});
  EXPECT_EQ(weights.At(1, 4, 8), 10400);
  EXPECT_EQ(weights.At(1, 4, 32), 10400);
  EXPECT_EQ(weights.At(1, 3, 8), std::nullopt);
  EXPECT_EQ(inputs.At(2, 3, 32), 20032);
  EXPECT_EQ(inputs.At(2, 3, 16), std::nullopt);
}

TEST(CostTable, OfTheSameCostIsReplacedWithAllItsMoments) {
  Sensitivity sensitivity = WithCosts({Numbered("memory@1"), Numbered("memory@2"), Numbered("energy_uj")});
  AddCosts(sensitivity, {Numbered("memory@3")});
  std::vector<std::string> costs;
  for (const CostTable& table : sensitivity.costs) costs.push_back(table.cost);
  EXPECT_THAT(costs, UnorderedElementsAre("energy_uj", "memory@3"));
}

TEST(CostTable, IsRefusedWhereItDoesNotFitTheModel) {
  CostTable lacks = Numbered("latency_ms"), more = Numbered("latency_ms");
  lacks.layers.pop_back();
  more.layers.push_back({"head", {}});
  EXPECT_THAT([&] { WithCosts({lacks}); }, OneLineError("latency_ms", "numbered", "says nothing of layer 'linear'"));
  EXPECT_THAT([&] { WithCosts({more}); }, OneLineError("latency_ms", "'head', which the model has not"));
  EXPECT_THAT([&] { WithCosts({Numbered("latency_ms"), Numbered("latency_ms")}); },
              OneLineError("two cost tables for latency_ms"));
  EXPECT_THAT([&] { MakeProblem(WithCosts({Numbered("latency_ms", {2, 8, 32})}), {}); },
              OneLineError("latency_ms", "'conv1' at w4a8", "weight widths 2, 8, 32"));
}

TEST(CostTable, IsRefusedWithNumbersThatAreNoCosts) {
  for (const double number :
       {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CostTable table = Numbered("latency_ms"), fixed = table, spread = table;
    table.layers[2].values[3] = number;
    EXPECT_THAT([&] { table.Validate(); }, OneLineError("'block.conv2'", "row 1, column 1", "at least 0"));
    fixed.fixed = number;
    EXPECT_THAT([&] { fixed.Validate(); }, OneLineError("latency_ms", "fixed"));
    spread.layers[0].measured["w8a8"] = number;
    EXPECT_THAT([&] { spread.Validate(); }, OneLineError("'conv1'", "spread of w8a8"));
  }
  CostTable table = Numbered("latency_ms");
  table.layers[1].values.pop_back();
  EXPECT_THAT([&] { table.Validate(); }, OneLineError("'block.conv1'", "7 values", "4 weight widths times 2"));
  EXPECT_THAT([&] { Numbered("latency_ms", {4, 2}).Validate(); }, OneLineError("weight_bits [4, 2]"));
  EXPECT_THAT([&] { Numbered("latency_ms", {2}, {0, 8}).Validate(); }, OneLineError("activation_bits [0, 8]"));
  EXPECT_THAT([&] { Numbered("Latency").Validate(); }, OneLineError("'Latency'", "lower-case"));
  EXPECT_THAT([&] { Numbered("bops").Validate(); }, OneLineError("bops", "another name"));
  table = Numbered("latency_ms");
  table.layers[3].name = "conv1";
  EXPECT_THAT([&] { table.Validate(); }, OneLineError("'conv1' is there twice"));
}

TEST(BudgetOnMoments, HoldsForTheLargestOfThem) {
  // Random moments; every plan by brute force: within the problem's budgets exactly when its largest moment is.
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0, 100);
  std::vector<CostTable> tables;
  for (int m = 0; m < 5; ++m) {
    tables.push_back(Tabulate("memory@" + std::to_string(m), "", {2, 4, 8, 32}, {8, 32}, Names(ExampleSensitivity()),
                              [&](std::size_t, int, int) { return uniform(random); }));
    tables.back().fixed = uniform(random);
  }
  const Sensitivity sensitivity = WithCosts(tables);
  for (const double budget : {150.0, 220.0, 300.0, 1e6}) {
    const Problem problem = MakeProblem(sensitivity, Within({{"memory", budget, false}}));
    std::size_t within = 0;
    for (std::size_t plan = 0; plan < 6 * 6 * 6 * 6; ++plan) {
      std::map<std::string, double> costs;
      double largest = 0;
      std::size_t rest = plan;
      std::vector<LayerBits> bits;
      for (const Group& group : problem.groups) {
        const Choice& choice = group.choices[rest % 6];
        rest /= 6;
        for (const auto& [cost, value] : choice.costs) costs[cost] += value;
        bits.push_back(BitsOfChoice(group, choice)[0]);
      }
      for (const CostTable& table : tables) {
        double sum = table.fixed;
        for (std::size_t i = 0; i < 4; ++i) sum += *table.At(i, bits[i].weight_bits, bits[i].activation_bits);
        largest = std::max(largest, sum);
      }
      EXPECT_DOUBLE_EQ(WithPeaks(costs).at("memory"), largest);
      bool allowed = true;
      for (const auto& [cost, most] : problem.budgets) allowed = allowed && costs.at(cost) <= most;
      EXPECT_EQ(allowed, largest <= budget);
      within += allowed ? 1 : 0;
    }
    EXPECT_EQ(within == 1296, budget > 1e5);
    EXPECT_EQ(problem.budgets.size() == 1, budget > 1e5);
  }
}

TEST(BudgetOnATable, TakesAPercentageOfTheNetworkInFloat) {
  CostTable table = Numbered("latency_ms");
  table.fixed = 50;
  const Problem problem = MakeProblem(WithCosts({table}), Within({{"latency_ms", 10, true}}));
  EXPECT_DOUBLE_EQ(problem.budgets.at("latency_ms"), (50 + 4 * 3232 + 60000) * 0.1);
  EXPECT_THAT([&] { MakeProblem(WithCosts({Numbered("cycles", {2, 4, 8})}), Within({{"cycles", 10, true}})); },
              OneLineError("cycles", "no entry at 32 bits"));
  EXPECT_THAT([&] { MakeProblem(WithCosts({table}), Within({{"cycles", 10, false}})); },
              OneLineError("cycles", "average_bits, bops, latency_ms, macs, weight_size_bytes", "--costs"));
}

TEST(UniformCosts, LeaveOutTablesWithoutTheWidths) {
  const Sensitivity sensitivity = WithCosts({Numbered("latency_ms"), Numbered("cycles", {2, 4, 8})});
  EXPECT_EQ(UniformCosts(sensitivity, 4, 8).at("latency_ms"), 4 * 408 + 60000);
  EXPECT_EQ(UniformCosts(sensitivity, 4, 8).at("cycles"), 4 * 408 + 60000);
  EXPECT_FALSE(FloatCosts(sensitivity).contains("cycles"));
  EXPECT_EQ(WidestUniform(sensitivity, {{"cycles", 1e9}}, {4, 8, 16}, {8, 32}).weight_bits, 8);
}

}  // namespace
}  // namespace bitplan::cost
