#include "bitplan/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "quantize/networks.h"

namespace bitplan {
namespace {

using ::testing::HasSubstr;

Network SmallNetwork() {
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "models" / "small_resnet.scripted.pt");
}

/// Images with the float network's own answers as labels.
Dataset Images(const Network& network, std::uint64_t seed) {
  const at::Tensor images = AllInputs(Samples({48, 3, 8, 8}, seed))[0];
  return Dataset::FromTensors({images}, network.Forward({images}).argmax(1));
}

RunOptions AtBudget(const std::string& budget) {
  RunOptions options;
  options.problem.budgets = {ParseBudget(budget)};
  options.analyze.curvature_samples = 16;
  return options;
}

TEST(RunTest, FindsAPlanWithinTheBudgetAndMeasuresIt) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1), test = Images(network, 2);
  const RunResult result = bitplan::Run(network, data, test, AtBudget("weight_size=14%"));
  EXPECT_EQ(result.solution.status, SolutionStatus::Optimal);
  EXPECT_LE(result.plan.costs.at("weight_size_bytes"), result.plan.budgets.at("weight_size_bytes"));
  ASSERT_EQ(result.quantized.size(), 1U);
  ASSERT_TRUE(result.evaluation.planned && result.plan.measured && result.evaluation.uniform);
  EXPECT_EQ(result.evaluation.float_network.correct, 48);
  EXPECT_EQ(result.evaluation.uniform_bits->weight_bits, 4);
  const Evaluation again = Evaluate(network, result.quantized, test)[1];
  EXPECT_EQ(again.correct, result.plan.measured->correct);
  EXPECT_DOUBLE_EQ(again.divergence, result.evaluation.planned->divergence);
}

TEST(RunTest, SaysWhatIsWrongBeforeTheLongPart) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  const auto message = [&](RunOptions options) {
    options.progress = [](const Progress& progress) { ADD_FAILURE() << "began with " << progress.stage; };
    return MessageOf([&] { bitplan::Run(network, data, data, options); });
  };
  RunOptions options = AtBudget("weight_size=14%");
  options.problem.pins = {ParsePin("nosuch=8")};
  EXPECT_THAT(message(options), HasSubstr("nosuch"));
  options.problem.pins = {ParsePin("first=5")};
  EXPECT_THAT(message(options), HasSubstr("5"));
}

TEST(RunTest, WithoutAPlanSaysHowFarAndDoesNotAnalyze) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  const RunResult result = bitplan::Run(network, data, data, AtBudget("weight_size=1%"));
  EXPECT_EQ(result.solution.status, SolutionStatus::Infeasible);
  EXPECT_TRUE(result.solution.choices.empty());
  EXPECT_EQ(result.solution.infeasibility.budget, "weight_size_bytes");
  EXPECT_GT(result.solution.infeasibility.least, result.solution.infeasibility.limit);
  EXPECT_TRUE(result.quantized.empty());
  for (const LayerSensitivity& layer : result.sensitivity.layers) EXPECT_FALSE(layer.weight.trace);
}

TEST(RunTest, PlansActivationsToo) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  RunOptions options = AtBudget("bops=4%");
  options.analyze.activation_bits = {4, 8};
  const RunResult result = bitplan::Run(network, data, data, options);
  ASSERT_FALSE(result.solution.choices.empty());
  EXPECT_LE(result.plan.costs.at("bops"), result.plan.budgets.at("bops"));
  for (const LayerPlan& layer : result.plan.layers) EXPECT_LE(layer.activation.bits, 8);
}

TEST(RunTest, FindsAJointPlanByTheMethodConvexAlone) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  RunOptions options = AtBudget("weight_size=14%");
  options.problem.joint = true;
  try {
    bitplan::Run(network, data, data, options);
    FAIL() << "the method exact was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("convex"));
  }
  options.search.method = "convex";
  const RunResult result = bitplan::Run(network, data, data, options);
  EXPECT_EQ(result.solution.status, SolutionStatus::Optimal);
  EXPECT_LE(result.plan.costs.at("weight_size_bytes"), result.plan.budgets.at("weight_size_bytes"));
  EXPECT_TRUE(result.sensitivity.shifts);
}

TEST(RunTest, ChoosesByMeasuringOnHeldOutSamples) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1), test = Images(network, 2), held_out = Images(network, 3);
  RunOptions options = AtBudget("weight_size=14%");
  options.choose.candidates = 3;
  options.choose.refine = 2;
  const RunResult result = bitplan::Run(network, data, test, options, held_out);
  ASSERT_TRUE(result.choice);
  EXPECT_EQ(result.choice->samples, held_out.size());
  EXPECT_EQ(result.solution.choices, result.choice->Best().choices);
  EXPECT_EQ(result.plan.certificate.objective, ObjectiveOf(result.problem, result.solution.choices));
  EXPECT_EQ(result.plan.certificate.bound,
            bitplan::Run(network, data, test, AtBudget("weight_size=14%")).solution.bound);
  EXPECT_NEAR(result.choice->Best().loss.value, Evaluate(network, result.quantized, held_out)[1].divergence, 1e-9);
}

TEST(RunTest, TakesTheLearningAgentAndItsMeasuredReward) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1), test = Images(network, 2), held_out = Images(network, 3);
  RunOptions options = AtBudget("weight_size=14%");
  options.search.method = "agent";
  options.agent.episodes = 6;
  options.agent.warm_up = 3;
  options.measured_reward = true;
  const RunResult result = bitplan::Run(network, data, test, options, held_out);
  ASSERT_EQ(result.episodes.size(), 6U);
  EXPECT_EQ(result.plan.certificate.method, "agent");
  EXPECT_NEAR(result.episodes.back().best, Evaluate(network, result.quantized, held_out)[1].divergence, 1e-9);
  EXPECT_LE(result.solution.bound, result.solution.objective);
}

/// The exact search under a name of the caller's own.
class Renamed : public SearchAlgorithm {
 public:
  std::string name() const override { return "my-search"; }
  SearchTraits traits() const override { return {}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions& options) const override {
    return Search(problem, {.gap = options.gap, .time_limit_seconds = options.time_limit_seconds});
  }
};

TEST(RunTest, TakesASearchOfTheCallersOwnByItsName) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  RunOptions options = AtBudget("weight_size=14%");
  options.search.method = "my-search";
  EXPECT_THROW(bitplan::Run(network, data, data, options), Error);
  options.searches = {std::make_shared<Renamed>()};
  const RunResult result = bitplan::Run(network, data, data, options);
  EXPECT_EQ(result.plan.certificate.method, "my-search");
  EXPECT_EQ(result.plan.certificate.status, SolutionStatus::Optimal);
}

TEST(RunTest, RefusesToMeasurePlansWithoutHeldOutSamples) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  RunOptions options = AtBudget("weight_size=14%");
  options.choose.refine = 1;
  EXPECT_THAT(MessageOf([&] { bitplan::Run(network, data, data, options); }), HasSubstr("held-out"));
  options.problem.prices = {{"bops", 1e-9}};
  EXPECT_THAT(MessageOf([&] { bitplan::Run(network, data, data, options, data); }), HasSubstr("prices"));
}

/// What a caller sets counts, or is refused.
TEST(RunTest, RefusesWhatItWouldOverwrite) {
  const auto message = [&](const std::function<void(RunOptions&)>& change) {
    RunOptions options = AtBudget("weight_size=14%");
    change(options);
    return MessageOf([&] { options.Validate(); });
  };
  EXPECT_EQ(message([](RunOptions&) {}), "no error");
  EXPECT_THAT(message([](RunOptions& o) { o.analyze.measures = {Measure::Trace}; }), HasSubstr("analyze.measures is"));
  EXPECT_THAT(message([](RunOptions& o) { o.analyze.channel_correction = false; }), HasSubstr("channel_correction is"));
  EXPECT_THAT(message([](RunOptions& o) { o.analyze.seed = 3; }), HasSubstr("analyze.seed is 3, but 0 counts"));
  EXPECT_THAT(message([](RunOptions& o) { o.analyze.batch_size = 3; }), HasSubstr("analyze.batch_size is 3"));
  EXPECT_THAT(message([](RunOptions& o) { o.quantize.batch_size = 3; }), HasSubstr("quantize.batch_size is 3"));
  EXPECT_THAT(message([](RunOptions& o) { o.quantize.memory_bytes = 3; }), HasSubstr("quantize.memory_bytes is 3"));
  EXPECT_THAT(message([](RunOptions& o) { o.choose.search.gap = 0.5; }), HasSubstr("choose.search.gap is 0.5"));
  EXPECT_THAT(message([](RunOptions& o) { o.choose.quantize.correction_samples = 9; }), HasSubstr("choose.quantize"));
  EXPECT_THAT(message([](RunOptions& o) { o.choose.loss = Loss::MeanSquaredError; }), HasSubstr("choose.loss is"));
  EXPECT_THAT(message([](RunOptions& o) { o.agent.certificate.gap = 0.5; }), HasSubstr("agent.certificate.gap is 0.5"));
  EXPECT_THAT(message([](RunOptions& o) {
                o.measured_reward = true;
                o.agent.measured_loss = [](const auto&) { return 1.0; };
              }),
              HasSubstr("agent.measured_loss"));
  EXPECT_EQ(message([](RunOptions& o) { o.seed = o.analyze.seed = 3; }), "no error");
}

TEST(RunTest, LeavesAStageItsOwnProgress) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  RunOptions options = AtBudget("weight_size=14%");
  int of_analysis = 0, of_run = 0;
  options.analyze.progress = [&](const Progress&) { ++of_analysis; };
  options.progress = [&](const Progress&) { ++of_run; };
  bitplan::Run(network, data, data, options);
  EXPECT_GT(of_analysis, 0);
  EXPECT_GT(of_run, 0);
}

}  // namespace
}  // namespace bitplan
