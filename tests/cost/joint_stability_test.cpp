#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "bitplan/stability.h"
#include "cost/error_message.h"
#include "cost/example_layers.h"
#include "cost/shifts_example.h"

namespace bitplan::cost::stability {
namespace {

ProblemOptions Jointly(const std::string& average_bits, Measure measure = Measure::LogitShift) {
  ProblemOptions options;
  options.measure = measure;
  options.joint = true;
  options.shrink = false;
  options.budgets = {ParseBudget("average_bits=" + average_bits)};
  return options;
}

SearchOptions Convexly() { return {.method = "convex"}; }

Stability StabilityOf(const Sensitivity& sensitivity, const ProblemOptions& options, std::int64_t resamples) {
  const Solution solution = Search(MakeProblem(sensitivity, options), Convexly());
  const auto stability =
      ResamplePlan(sensitivity, options, Convexly(), solution.choices, {{.resamples = resamples, .seed = 3}, {}});
  EXPECT_TRUE(stability);
  return stability.value_or(Stability{});
}

TEST(ResampleShifts, TakesEachSampleAsOftenAsItWasDrawn) {
  const OutputShifts given{
      4, 1, {0, 1, 2, 3}, {10, 11, 12, 13, 20, 21, 22, 23}};  // two samples of two positions, two choices
  const OutputShifts drawn = Resample(given, {0, 2});
  EXPECT_EQ(drawn.samples, 4U);
  EXPECT_EQ(drawn.classes, 1U);
  EXPECT_THAT(drawn.logits, testing::ElementsAre(2, 3, 2, 3));
  EXPECT_THAT(drawn.shifts, testing::ElementsAre(12, 13, 12, 13, 22, 23, 22, 23));
  EXPECT_THAT([&] { Resample(given, {1, 1, 1}); }, OneLineError("3 counts", "4"));
  EXPECT_THAT([&] { Resample(given, {}); }, OneLineError("0 counts"));
}

/// Of three layers that may have 2 bits, any two of which must, the first two cancel on every sample.
TEST(ResampleJointPlan, ThatIsTheBestOnEverySampleAlwaysIs) {
  const Sensitivity given = OfTwoBits({{3, 4, -5, 6}, {-2.9F, -4.1F, 5.2F, -6}, {1, 1, 1.5F, 1}}).Sensitivity();
  const ProblemOptions options = Jointly("2.7");
  const Solution solution = Search(MakeProblem(given, options), Convexly());
  ASSERT_EQ(solution.choices, (Plan{0, 0, 1}));
  const Stability stability = StabilityOf(given, options, 200);
  EXPECT_EQ(stability.resamples, 200);
  EXPECT_NEAR(stability.best, 1, 1e-12);
  EXPECT_EQ(stability.regret, 0);
  EXPECT_NEAR(stability.proven, 1, 1e-12);
  for (const char* layer : {"layer0", "layer1", "layer2"}) EXPECT_NEAR(stability.kept.at(layer), 1, 1e-12);
}

/// Both layers at 2 bits are charged 1.1² = 1.21 on four samples and nothing on the fifth, where they cancel; the first
/// alone 1 and 4. So both is the better plan unless the fifth is not drawn, in (4/5)⁵ of the resamples, and then worse
/// by 21 %.
TEST(ResampleJointPlan, ThatHangsOnOneSampleIsTheBestWhereThatIsDrawn) {
  const Sensitivity given = OfTwoBits({{1, 1, 1, 1, 2}, {-2.1F, -2.1F, -2.1F, -2.1F, -2}}).Sensitivity();
  ASSERT_EQ(Search(MakeProblem(given, Jointly("3")), Convexly()).choices, (Plan{0, 0}));
  constexpr double kNotDrawn = 0.8 * 0.8 * 0.8 * 0.8 * 0.8, kResamples = 4000;
  const Stability stability = StabilityOf(given, Jointly("3"), static_cast<std::int64_t>(kResamples));
  EXPECT_NEAR(stability.best, 1 - kNotDrawn, 4 * std::sqrt(kNotDrawn * (1 - kNotDrawn) / kResamples));
  EXPECT_NEAR(stability.regret, 0.21 * (1 - stability.best), 1e-6);
  EXPECT_NEAR(stability.kept.at("layer0"), 1, 1e-12);
  EXPECT_NEAR(stability.kept.at("layer1"), stability.best, 1e-12);
  EXPECT_NEAR(stability.proven, 1, 1e-12);
}

/// Six layers, of which half may have 4 bits.
Example Random(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Example example{{8, 3, {}, {}}, 6};
  for (std::size_t i = 0; i < 8 * 3; ++i) example.shifts.logits.push_back(normal(random));
  for (std::size_t choice = 0; choice < 2 * 6; ++choice)
    for (std::size_t i = 0; i < 8 * 3; ++i)
      example.shifts.shifts.push_back((choice % 2 == 0 ? 1.0F : 0.25F) * normal(random));
  return example;
}

std::vector<Plan> PlansWithin(std::size_t layers, std::size_t most_of_four) {
  std::vector<Plan> plans;
  for (std::size_t bits = 0; bits < (std::size_t{1} << layers); ++bits) {
    Plan plan;
    for (std::size_t i = 0; i < layers; ++i) plan.push_back((bits >> i) & 1);
    if (static_cast<std::size_t>(std::count(plan.begin(), plan.end(), 1U)) <= most_of_four) plans.push_back(plan);
  }
  return plans;
}

class JointMeasure : public testing::TestWithParam<Measure> {};
INSTANTIATE_TEST_SUITE_P(Measures, JointMeasure, testing::ValuesIn(kMeasures));

/// The same draws, each judged by trying every plan.
TEST_P(JointMeasure, ResampledIsWhatTryingEveryPlanOnEveryResampleGives) {
  const std::vector<Plan> plans = PlansWithin(6, 3);
  const BootstrapOptions bootstrap{.resamples = 60, .seed = 3};
  bool differs = false;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Example example = Random(seed);
    const auto least = [&](const SampleCounts& counts) {
      return *std::min_element(plans.begin(), plans.end(), [&](const Plan& a, const Plan& b) {
        return example.Loss(GetParam(), counts, a) < example.Loss(GetParam(), counts, b);
      });
    };
    const Plan planned = least(SampleCounts(8, 1));
    const Bootstrapped tried = Bootstrap(
        8,
        [&](const SampleCounts& counts) {
          const Plan best = least(counts);
          const double loss = example.Loss(GetParam(), counts, best),
                       above = example.Loss(GetParam(), counts, planned) / loss - 1;
          return std::vector<double>{above <= 1e-4 ? 1.0 : 0.0, above, best[2] == planned[2] ? 1.0 : 0.0};
        },
        bootstrap);
    const auto mean = [&](std::size_t figure) { return Mean(tried.replicates[figure]).value; };
    const Stability stability = StabilityOf(example.Sensitivity(), Jointly("3", GetParam()), bootstrap.resamples);
    EXPECT_NEAR(stability.best, mean(0), 1e-12);
    EXPECT_NEAR(stability.regret, mean(1), 1e-4);
    EXPECT_NEAR(stability.kept.at("layer2"), mean(2), 1e-12);
    EXPECT_NEAR(stability.proven, 1, 1e-12);
    differs = differs || stability.best < 1;
  }
  EXPECT_TRUE(differs);
}

TEST(ResampleShifts, TakesAsManyRowsAsASampleHas) {
  const OutputShifts given{4, 1, {0, 1, 2, 3}, {10, 11, 12, 13, 20, 21, 22, 23}};
  const OutputShifts drawn = Resample(given, {1, 2, 1}, {1, 0, 3});
  EXPECT_EQ(drawn.samples, 4U);
  EXPECT_EQ(Resample(given, {2, 0, 0}, {3, 1, 0}).samples, 6U);
  EXPECT_THAT(Resample(given, {0, 2, 0}, {3, 1, 0}).shifts, testing::ElementsAre(13, 13, 23, 23));
  EXPECT_THAT([&] { Resample(given, {1, 1, 1}, {1, 1, 1}); }, OneLineError("3 counts", "4"));
}

/// Of its rows as many to each sample as `predictions` says; contributions are divided by the mean of them.
Sensitivity Grouped(const Example& example, const std::vector<std::int64_t>& predictions) {
  Sensitivity sensitivity = example.Sensitivity();
  sensitivity.samples = std::ssize(predictions);
  Contributions& table = *sensitivity.contributions;
  const double mean = static_cast<double>(table.samples) / static_cast<double>(predictions.size());
  std::vector<double> values;
  for (auto row = table.values.begin(); row != table.values.end();)
    for (const std::int64_t of_sample : predictions) {
      values.push_back(std::accumulate(row, row + of_sample, 0.0) / mean);
      row += of_sample;
    }
  table.samples = predictions.size();
  table.values = values;
  table.predictions = predictions;
  return sensitivity;
}

/// The eight rows are five samples of unequally many; that four would divide them evenly says nothing.
TEST_P(JointMeasure, ResampledOfUnequalSamplesIsTheMeanOverThePredictionsDrawn) {
  const std::vector<Plan> plans = PlansWithin(6, 3);
  const BootstrapOptions bootstrap{.resamples = 60, .seed = 3};
  for (const std::vector<std::int64_t>& predictions :
       {std::vector<std::int64_t>{1, 3, 0, 2, 2}, std::vector<std::int64_t>{5, 1, 1, 1}}) {
    const Example example = Random(2);
    std::vector<std::int64_t> some = predictions;
    std::erase(some, 0);
    const auto loss = [&](const SampleCounts& counts, const Plan& plan) {
      SampleCounts of_rows;
      for (std::size_t n = 0; n < counts.size(); ++n) of_rows.insert(of_rows.end(), some[n], counts[n]);
      return example.Loss(GetParam(), of_rows, plan);
    };
    const auto least = [&](const SampleCounts& counts) {
      return *std::min_element(plans.begin(), plans.end(),
                               [&](const Plan& a, const Plan& b) { return loss(counts, a) < loss(counts, b); });
    };
    const Plan planned = least(SampleCounts(some.size(), 1));
    const Bootstrapped tried = Bootstrap(
        some.size(),
        [&](const SampleCounts& counts) {
          const double above = loss(counts, planned) / loss(counts, least(counts)) - 1;
          return std::vector<double>{above <= 1e-4 ? 1.0 : 0.0, above};
        },
        bootstrap);
    const Stability stability =
        StabilityOf(Grouped(example, predictions), Jointly("3", GetParam()), bootstrap.resamples);
    EXPECT_NEAR(stability.best, Mean(tried.replicates[0]).value, 1e-12);
    EXPECT_NEAR(stability.regret, Mean(tried.replicates[1]).value, 1e-4);
  }
}

TEST(ResampleFigures, AreMeansOverThePredictionsDrawn) {
  const Sensitivity given = Grouped(Random(2), {1, 3, 0, 2, 2});
  const Contributions& table = *given.contributions;
  const Sensitivity drawn = Resample(given, table, {2, 1, 1, 0, 1});
  const double sum = 8.0 / 5 * (2 * table.values[0] + table.values[1] + table.values[4]);  // of five samples' eight
  EXPECT_NEAR(drawn.layers[0].weight_choices[0].figures.at(Measure::LogitShift).value, sum / 7, 1e-12);
  EXPECT_THAT([&] { Resample(given, table, {0, 0, 5, 0, 0}); }, OneLineError("prediction"));
}

TEST(ResampleJointPlan, GivesTheSameForTheSameSeedAlsoWhenShrunk) {
  ProblemOptions options = Jointly("3", Measure::GaussNewton);
  options.shrink = true;
  const Sensitivity given = Random(5).Sensitivity();
  const Stability once = StabilityOf(given, options, 30), again = StabilityOf(given, options, 30);
  EXPECT_EQ(once.best, again.best);
  EXPECT_EQ(once.regret, again.regret);
  EXPECT_EQ(once.kept, again.kept);
}

/// A resample holds the noise of the samples twice, as much of it as signal to whoever looks at the resample alone.
TEST(ResampleJointPlan, TakesNoChanceForCrossTermsThatAllSamplesDoNot) {
  ProblemOptions joint = Jointly("3"), separable = joint;
  joint.shrink = separable.shrink = true;
  separable.joint = false;
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sensitivity given = Random(seed).Sensitivity();
    if (CrossTermShare(given, Measure::LogitShift) > 0) continue;
    const Stability a = StabilityOf(given, joint, 40), b = StabilityOf(given, separable, 40);
    EXPECT_EQ(a.best, b.best);
    EXPECT_EQ(a.regret, b.regret);
    EXPECT_EQ(a.kept, b.kept);
    ++compared;
  }
  EXPECT_GT(compared, 2);
}

TEST(ResampleJointPlan, SaysNothingWithoutTheSamplesOfItsFigures) {
  Sensitivity given = Random(5).Sensitivity();
  const ProblemOptions options = Jointly("3");
  const Plan plan = Search(MakeProblem(given, options), Convexly()).choices;
  given.contributions.reset();
  EXPECT_FALSE(ResamplePlan(given, options, Convexly(), plan));
}

}  // namespace
}  // namespace bitplan::cost::stability
