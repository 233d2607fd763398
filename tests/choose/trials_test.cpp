#include "trials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace bitplan::choose {
namespace {

using testing::ElementsAre;

/// Groups of three choices, without budgets.
Problem Groups(std::size_t count) {
  Problem problem{.name = "groups", .objective = "none", .groups = {}, .budgets = {}};
  for (std::size_t g = 0; g < count; ++g)
    problem.groups.push_back(
        {std::to_string(g), {std::to_string(g)}, {{"w2a8", 2, {}}, {"w4a8", 1, {}}, {"w8a8", 0, {}}}});
  return problem;
}

/// 40 samples, the mean of which depends on the plan; what all plans have in common is large beside it.
std::vector<double> Losses(const std::vector<std::size_t>& choices, double noise) {
  std::mt19937_64 random(choices[0] * 7 + choices[1]);
  std::vector<double> losses;
  for (int n = 0; n < 40; ++n) {
    const double own = static_cast<double>(random() % 1000) / 1000 - 0.5;
    losses.push_back(100 * n + 10 - static_cast<double>(choices[0] + 2 * choices[1]) + noise * own);
  }
  return losses;
}

TEST(Trials, AcceptOnlyWhatIsBetterByMoreThanThePairedStandardError) {
  const Problem problem = Groups(2);
  for (const double noise : {0.5, 20.0, 200.0}) {
    Trials trials(problem, [&](const std::vector<std::size_t>& choices) { return Losses(choices, noise); });
    std::mt19937_64 random(9);
    std::vector<std::size_t> best;
    for (int i = 0; i < 30; ++i) {
      const std::vector<std::size_t> next{random() % 3, random() % 3};
      const std::vector<double> losses = Losses(next, noise), before = best.empty() ? losses : Losses(best, noise);
      double mean = 0, squares = 0;
      for (int n = 0; n < 40; ++n) mean += (losses[n] - before[n]) / 40;
      for (int n = 0; n < 40; ++n) squares += std::pow(losses[n] - before[n] - mean, 2);
      const bool better = best.empty() || mean < -std::sqrt(squares / 39 / 40);
      EXPECT_EQ(trials.Try(TrialOrigin::Candidate, next), better);
      if (better) best = next;
      EXPECT_EQ(trials.result().Best().choices, best);
      EXPECT_NEAR(trials.result().trials.back().difference.value, mean, 1e-9);
      EXPECT_NEAR(trials.result().trials.back().difference.standard_error, std::sqrt(squares / 39 / 40), 1e-9);
      EXPECT_EQ(trials.result().trials.back().predicted, 4.0 - static_cast<double>(next[0] + next[1]));
      EXPECT_TRUE(trials.Tried(next));
    }
    EXPECT_EQ(trials.result().trials.size(), 30U);
    EXPECT_EQ(trials.result().samples, 40);
  }
}

TEST(Refine, TriesInOrderAndRanksAnewAfterEachAcceptedExchange) {
  const Problem problem = Groups(2);
  std::vector<std::vector<std::size_t>> measured, ranked;
  Trials trials(problem, [&](const std::vector<std::size_t>& choices) {
    measured.push_back(choices);
    return Losses(choices, 0);
  });
  trials.Try(TrialOrigin::Candidate, {0, 0});
  const auto rank = [&](const std::vector<std::size_t>& choices) {
    ranked.push_back(choices);
    return std::vector<Exchange>{{{{0, 0}}, -4}, {{{0, 1}}, -3}, {{{1, 2}}, -2}, {{{1, 1}, {0, 2}}, -1}, {{{0, 2}}, 0}};
  };
  Refine(trials, 10, rank, {});
  // 10 is better than 00 at once; from there 00 was tried; 12 is better than that; of 12's exchanges 02 is worse, 21 as
  // well.
  EXPECT_THAT(ranked, ElementsAre(std::vector<std::size_t>{0, 0}, std::vector<std::size_t>{1, 0},
                                  std::vector<std::size_t>{1, 2}));
  EXPECT_THAT(measured, ElementsAre(std::vector<std::size_t>{0, 0}, std::vector<std::size_t>{1, 0},
                                    std::vector<std::size_t>{1, 2}, std::vector<std::size_t>{0, 2},
                                    std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(trials.result().Best().choices, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(trials.result().trials[2].expected, -2);
  EXPECT_EQ(trials.result().trials[2].origin, TrialOrigin::Exchange);
}

TEST(Refine, MeasuresNoMoreThanItMay) {
  const Problem problem = Groups(2);
  for (const std::int64_t most : {0, 1, 2}) {
    Trials trials(problem, [&](const std::vector<std::size_t>& choices) { return Losses(choices, 0); });
    trials.Try(TrialOrigin::Candidate, {1, 1});
    Refine(trials, most,
           [](const std::vector<std::size_t>&) {
             return std::vector<Exchange>{{{{0, 0}}, -3}, {{{1, 0}}, -2}, {{{0, 2}}, -1}};
           },
           {});
    EXPECT_EQ(std::ssize(trials.result().trials), 1 + most);
    EXPECT_EQ(trials.result().Best().choices, (std::vector<std::size_t>{1, 1}));
  }
}

}  // namespace
}  // namespace bitplan::choose
