#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "bitplan/plan.h"
#include "bitplan/version.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

/// Three tied layers with "w4-2-8a8", the linear layer with "w8a32".
Solution SolutionOf(const Problem& problem) {
  Solution solution;
  solution.method = "exact";
  solution.status = SolutionStatus::Optimal;
  for (const Group& group : problem.groups)
    for (std::size_t i = 0; i < group.choices.size(); ++i)
      if (group.choices[i].name == (group.members.size() == 3 ? "w4-2-8a8" : "w8a32")) solution.choices.push_back(i);
  solution.objective = 1.25;
  solution.bound = 1.0;
  solution.gap = 0.2;
  solution.costs = {{"bops", 7}};
  return solution;
}

Sensitivity Tied() {
  Sensitivity sensitivity = ExampleSensitivity();
  for (std::size_t i : {0, 1, 3}) sensitivity.layers[i].tied_group = 0;
  sensitivity.model_sha256 = "model";
  sensitivity.data.spec = "data";
  sensitivity.seed = 9;
  sensitivity.fold_batch_norm = false;
  sensitivity.channel_correction = false;
  sensitivity.weight_format.calibrator = Calibrator::Max;
  sensitivity.activation_format = DefaultActivationFormat();
  return sensitivity;
}

TEST(MakePlan, PutsOperandsOnTheGridOfTheLayerThatReadsTheSameTensor) {
  const TemporaryFolder folder;
  Sensitivity sensitivity = Tied();
  const Format eight = DefaultActivationFormat();
  sensitivity.operands = {{"add_0.0", eight},
                          {"add_0.1", eight, sensitivity.layers[1].name},
                          {"gelu_0.0", eight, sensitivity.layers[2].name}};
  WriteSensitivity(folder / "sensitivity.json", sensitivity);
  sensitivity = ReadSensitivity(folder / "sensitivity.json");
  ASSERT_EQ(sensitivity.operands.size(), 3U);
  const Plan plan = MakeUniformPlan(sensitivity, 4, 6);
  ASSERT_EQ(plan.operands.size(), 3U);
  EXPECT_EQ(plan.operands[0].name, "add_0.0");
  EXPECT_EQ(plan.operands[0].format, eight);
  EXPECT_EQ(plan.operands[1].format.bits, 6);
  EXPECT_EQ(plan.operands[2].format.bits, sensitivity.layers[2].input_count > 0 ? 6 : 8);
  EXPECT_EQ(MakeUniformPlan(sensitivity, 4, 32).operands[1].format, eight);
}

TEST(MakePlan, GivesEveryLayerItsBitsInOrderOfExecution) {
  const Sensitivity sensitivity = Tied();
  ProblemOptions options;
  options.budgets = {ParseBudget("average_bits=5")};
  const Problem problem = MakeProblem(sensitivity, options);
  const Solution solution = SolutionOf(problem);
  const Plan plan = MakePlan(sensitivity, problem, solution, Measure::Trace);
  ASSERT_EQ(plan.layers.size(), 4U);
  const std::vector<int> weights = {4, 2, 8, 8}, activations = {8, 8, 32, 8};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(plan.layers[i].name, sensitivity.layers[i].name);
    EXPECT_EQ(plan.layers[i].weight, sensitivity.weight_format.WithBits(weights[i]));
    EXPECT_EQ(plan.layers[i].activation, sensitivity.activation_format.WithBits(activations[i]));
  }
  EXPECT_EQ(plan.tool_version, Version());
  EXPECT_EQ(plan.model_sha256, "model");
  EXPECT_EQ(plan.data.spec, "data");
  EXPECT_EQ(plan.seed, 9U);
  EXPECT_FALSE(plan.fold_batch_norm);
  EXPECT_EQ(plan.corrections.output, OutputCorrection::None);
  EXPECT_EQ(plan.measure, "trace");
  EXPECT_EQ(plan.predicted_loss, 1.25);
  EXPECT_EQ(plan.costs, solution.costs);
  EXPECT_EQ(plan.budgets, problem.budgets);
  EXPECT_EQ(plan.certificate.method, "exact");
  EXPECT_EQ(plan.certificate.status, SolutionStatus::Optimal);
  EXPECT_EQ(plan.certificate.bound, 1.0);
  EXPECT_FALSE(plan.measured.has_value());
}

/// A search of a caller's own, under a name that the library does not know.
class Own : public SearchAlgorithm {
 public:
  std::string name() const override { return "own-search"; }
  SearchTraits traits() const override { return {}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions&) const override { return SolutionOf(problem); }
};

TEST(MakePlan, CertifiesByTheNameOfASearchOfTheCallersOwnAndReadsItBack) {
  const Sensitivity sensitivity = Tied();
  const Problem problem = MakeProblem(sensitivity, {});
  SearchRegistry searches;
  searches.Add(std::make_shared<Own>());
  const Solution solution = searches.Solve(problem, {.method = "own-search"});
  const Plan plan = MakePlan(sensitivity, problem, solution, Measure::Trace);
  EXPECT_EQ(plan.certificate.method, "own-search");
  const TemporaryFolder folder;
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  EXPECT_EQ(read.certificate.method, "own-search");
  EXPECT_EQ(read.certificate.status, SolutionStatus::Optimal);
  EXPECT_NE(ToJson(problem, solution).find("\"method\": \"own-search\""), std::string::npos);
}

TEST(MakePlan, RefusesASolutionWithoutAPlanAndOneOfAnotherProblem) {
  const Sensitivity sensitivity = Tied();
  const Problem problem = MakeProblem(sensitivity, {});
  EXPECT_THAT([&] { MakePlan(sensitivity, problem, {}, Measure::Trace); }, OneLineError("no plan"));
  Solution solution = SolutionOf(problem);
  solution.choices[0] = 1000;
  EXPECT_THAT([&] { MakePlan(sensitivity, problem, solution, Measure::Trace); }, OneLineError("no such choice"));
  Sensitivity other = sensitivity;
  other.layers[2].name = "renamed";
  EXPECT_THAT([&] { MakePlan(other, problem, SolutionOf(problem), Measure::Trace); }, OneLineError("renamed"));
  other = sensitivity;
  other.layers.pop_back();
  EXPECT_THAT([&] { MakePlan(other, problem, SolutionOf(problem), Measure::Trace); }, OneLineError("another model"));
}

TEST(MakeUniformPlan, HasOneWidthAndClaimsNoProof) {
  Sensitivity sensitivity = Tied();
  sensitivity.layers[1].input_count = 0;
  const Plan plan = MakeUniformPlan(sensitivity, 4, 8);
  ASSERT_EQ(plan.layers.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(plan.layers[i].weight.bits, 4);
    EXPECT_EQ(plan.layers[i].activation.bits, i == 1 ? 32 : 8);
  }
  EXPECT_EQ(plan.costs.at("weight_size_bytes"), 5680 / 2.0);
  EXPECT_EQ(plan.costs.at("bops"), 32.0 * (442368 + 2359296 * 5 + 640));
  EXPECT_NEAR(plan.costs.at("average_bits"), 4, 1e-12);
  EXPECT_TRUE(std::isnan(plan.certificate.bound));
  const TemporaryFolder folder;
  EXPECT_TRUE(std::isnan(ReadPlan(folder.Put("plan.json", ToJson(plan))).predicted_loss));
}

TEST(MakeUniformPlan, RefusesWidthsThatDoNotExist) {
  EXPECT_THAT([] { MakeUniformPlan(Tied(), 9, 8); }, OneLineError("9", "1 to 8, 16 or 32"));
  EXPECT_THAT([] { MakeUniformPlan(Tied(), 8, 0); }, OneLineError("0", "1 to 8, 16 or 32"));
}

TEST(Version, IsThreeNumbers) {
  int major = -1, minor = -1, patch = -1;
  EXPECT_EQ(std::sscanf(std::string(Version()).c_str(), "%d.%d.%d", &major, &minor, &patch), 3);
}

}  // namespace
}  // namespace bitplan::plan
