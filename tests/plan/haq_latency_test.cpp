// haq_mobilenetv2_latency.npy: the latency table of HAQ (Wang et al., CVPR 2019; mit-han-lab/haq, MIT) for MobileNetV2
// at batch 16, in cycles, [53 layers, weight bits - 1, activation bits - 1]. The numbers below are NumPy's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "bitplan/plan.h"
#include "bitplan/search.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"

namespace bitplan::plan {
namespace {

/// 53 layers with weights and inputs of 4 and 8 bits.
Sensitivity MobileNetV2() {
  Sensitivity sensitivity;
  for (int i = 0; i < 53; ++i) {
    LayerSensitivity layer = ExampleLayer("layer" + std::to_string(i), "conv2d", 1000 + 100 * i, 100000);
    layer.weight_choices = Choices({4, 8}, 160);
    layer.activation_choices = Choices({4, 8}, 655360);
    sensitivity.layers.push_back(layer);
  }
  return sensitivity;
}

CostTable HaqLatency() {
  std::vector<std::string> names;
  for (const LayerSensitivity& layer : MobileNetV2().layers) names.push_back(layer.name);
  return ReadCostArray(std::filesystem::path(BITPLAN_TEST_DIR) / "plan" / "haq_mobilenetv2_latency.npy",
                       "latency_cycles", names);
}

TEST(HaqLatency, IsReadAtItsWidths) {
  const CostTable table = HaqLatency();
  EXPECT_EQ(table.At(0, 8, 8), 1620752);
  EXPECT_EQ(table.At(0, 1, 1), 200720);
  EXPECT_EQ(table.At(52, 4, 8), 20014);
  EXPECT_EQ(table.At(52, 8, 4), 40009);
  EXPECT_EQ(table.At(10, 3, 6), 677664);
  double at8 = 0, at4 = 0;
  for (std::size_t i = 0; i < 53; ++i) {
    at8 += *table.At(i, 8, 8);
    at4 += *table.At(i, 4, 4);
  }
  EXPECT_EQ(at8, 39624933);
  EXPECT_EQ(at4, 15716150);
}

TEST(HaqLatency, BudgetIsKeptByTheBestPlan) {
  Sensitivity sensitivity = MobileNetV2();
  AddCosts(sensitivity, {HaqLatency()});
  ProblemOptions options;
  options.budgets = {{"latency_cycles", 0.6 * 39624933, false}};
  const Problem problem = MakeProblem(sensitivity, options);
  const Solution solution = Search(problem, {});
  ASSERT_EQ(solution.choices.size(), 53U);
  const Plan plan = MakePlan(sensitivity, problem, solution, options.measure);
  double cycles = 0;
  for (std::size_t i = 0; i < 53; ++i)
    cycles += *HaqLatency().At(i, plan.layers[i].weight.bits, plan.layers[i].activation.bits);
  EXPECT_EQ(plan.costs.at("latency_cycles"), cycles);
  EXPECT_LE(cycles, 0.6 * 39624933);
  EXPECT_GT(cycles, 0.55 * 39624933);
}

TEST(HaqLatency, SaysThatItEndsAtEightBits) {
  Sensitivity sensitivity = MobileNetV2();
  sensitivity.layers[3].activation_choices = Choices({32}, 0);
  sensitivity.layers[3].input_count = 0;
  AddCosts(sensitivity, {HaqLatency()});
  EXPECT_THAT([&] { MakeProblem(sensitivity, {}); }, OneLineError("haq_mobilenetv2_latency.npy", "'layer3' at w4a32",
                                                                  "activation widths 1, 2, 3, 4, 5, 6, 7, 8"));
}

}  // namespace
}  // namespace bitplan::plan
