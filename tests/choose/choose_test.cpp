#include "bitplan/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "bitplan/analyze.h"
#include "bitplan/cost.h"
#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/plan.h"
#include "quantize/networks.h"

namespace bitplan::choose {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A small network, analyzed, and its best plan.
class Choosing : public testing::Test {
 protected:
  Choosing() {
    AnalyzeOptions analyze;
    analyze.measures = {Measure::Divergence};
    analyze.weight_bits = {2, 4, 8};
    analyze.activation_bits = {4, 8};
    sensitivity_ = Analyze(network_, data_, analyze);
    problem_ = MakeProblem(sensitivity_, {.measure = Measure::Divergence,
                                          .budgets = {ParseBudget("average_bits=4"), ParseBudget("bops=3%")},
                                          .pins = {}});
    best_ = Search(problem_, {});
  }

  Dataset Images(std::int64_t count, std::uint64_t seed) const {
    const at::Tensor images = AllInputs(Samples({count, 3, 8, 8}, seed))[0];
    return Dataset::FromTensors({images}, network_.Forward({images}).argmax(1));
  }
  MeasuredChoice Choose(const ChooseOptions& options) const {
    return ChooseByMeasuring(network_, sensitivity_, problem_, best_, data_, held_out_, options);
  }

  const Network network_ =
      Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "models" / "small_resnet.scripted.pt");
  const Dataset data_ = Images(24, 1), held_out_ = Images(40, 2);
  Sensitivity sensitivity_;
  Problem problem_;
  Solution best_;
};

TEST_F(Choosing, MeasuresEveryPlanOnTheHeldOutSamplesAndRecordsIt) {
  const MeasuredChoice choice = Choose({.candidates = 3, .refine = 6, .search = {}, .quantize = {}, .progress = {}});
  EXPECT_EQ(choice.samples, 40);
  ASSERT_GE(choice.trials.size(), 3U);
  ASSERT_LE(choice.trials.size(), 9U);
  EXPECT_EQ(choice.trials[0].choices, best_.choices);
  std::set<std::vector<std::size_t>> seen;
  for (const Trial& trial : choice.trials) {
    EXPECT_TRUE(seen.insert(trial.choices).second) << "measured twice";
    Solution solution;
    solution.choices = trial.choices;
    const Plan plan = MakePlan(sensitivity_, problem_, solution, Measure::Divergence);
    const std::vector<QuantizedNetwork> quantized{QuantizedNetwork::Create(network_, plan, data_)};
    EXPECT_NEAR(trial.loss.value, Evaluate(network_, quantized, held_out_)[1].divergence, 1e-9);
    for (const auto& [cost, limit] : problem_.budgets) {
      double spent = 0;
      for (std::size_t g = 0; g < trial.choices.size(); ++g)
        spent += problem_.groups[g].choices[trial.choices[g]].costs.at(cost);
      EXPECT_LE(spent, limit * (1 + 1e-9));
    }
  }
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < a; ++b) {
      EXPECT_EQ(choice.trials[a].origin, TrialOrigin::Candidate);
      int apart = 0;
      for (std::size_t g = 0; g < best_.choices.size(); ++g)
        apart += choice.trials[a].choices[g] != choice.trials[b].choices[g];
      EXPECT_GE(apart, 2);
    }
}

TEST_F(Choosing, EndsWithThePlanOfTheLastAcceptedTrialAndItsGap) {
  const MeasuredChoice choice = Choose({.refine = 8, .search = {}, .quantize = {}, .progress = {}});
  const Trial* last = nullptr;
  for (const Trial& trial : choice.trials)
    if (trial.accepted) last = &trial;
  ASSERT_TRUE(last);
  EXPECT_EQ(choice.Best().choices, last->choices);
  EXPECT_LE(last->loss.value, choice.trials[0].loss.value);
  const Solution solution = WithChoices(problem_, best_, last->choices);
  EXPECT_EQ(solution.objective, ObjectiveOf(problem_, last->choices));
  EXPECT_EQ(solution.bound, best_.bound);
  EXPECT_GE(solution.objective, solution.bound);
  EXPECT_EQ(solution.gap == 0, solution.status == SolutionStatus::Optimal);
}

TEST_F(Choosing, GivesTheSameRecordAgain) {
  const ChooseOptions options{.candidates = 2, .refine = 3, .search = {}, .quantize = {}, .progress = {}};
  const std::string record = ToJson(problem_, Choose(options));
  EXPECT_EQ(record, ToJson(problem_, Choose(options)));
  const auto json = nlohmann::json::parse(record);
  EXPECT_EQ(json["schema"], "bitplan.choice/1");
  EXPECT_EQ(json["trials"][0]["choices"].size(), problem_.groups.size());
  EXPECT_EQ(json["trials"][0]["accepted"], true);
}

TEST_F(Choosing, RefusesWhatCannotBeMeasured) {
  const auto message = [&](const Problem& problem, const Dataset& held_out, const ChooseOptions& options,
                           const char* part) {
    EXPECT_THAT([&] { ChooseByMeasuring(network_, sensitivity_, problem, best_, data_, held_out, options); },
                ThrowsMessage<Error>(HasSubstr(part)));
  };
  message(problem_, held_out_.First(1), {}, "at least 2");
  Problem priced = problem_;
  priced.prices = {{"bops", 1e-9}};
  message(priced, held_out_, {}, "prices");
  const auto with = [](auto change) {
    ChooseOptions options;
    change(options);
    return options;
  };
  message(problem_, held_out_, with([](ChooseOptions& options) { options.candidates = 0; }), "candidates");
  message(problem_, held_out_, with([](ChooseOptions& options) { options.distance = 0; }), "distance");
  message(problem_, held_out_, with([](ChooseOptions& options) { options.refine = -1; }), "refine");
  message(problem_, held_out_, with([](ChooseOptions& options) { options.model_samples = 1; }), "model_samples");
  message(problem_, held_out_, with([](ChooseOptions& options) { options.candidates = 2, options.distance = 99; }),
          "distance");
}

}  // namespace
}  // namespace bitplan::choose
