#include "exchange_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "neighbors.h"

namespace bitplan::choose {
namespace {

using testing::UnorderedElementsAre;
using Choices = std::vector<std::size_t>;

at::Tensor Random(at::IntArrayRef shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  at::Tensor values = at::empty(shape, at::kDouble);
  for (std::int64_t i = 0; i < values.numel(); ++i)
    values.mutable_data_ptr<double>()[i] = static_cast<double>(random() % 2001) / 500 - 2;
  return values;
}

constexpr double kWeight = 0.7;  // of the second of two outputs

/// Mean of Σ p (log p − log q), element by element; of values (z − z')²; of two outputs, classes and values, their sum.
double MeanDivergence(OutputKind outputs, const at::Tensor& from, const at::Tensor& to) {
  if (outputs == OutputKind::Several)
    return MeanDivergence(OutputKind::Classes, from.slice(0, 0, 1), to.slice(0, 0, 1)) +
           kWeight * MeanDivergence(OutputKind::Values, from[1], to[1]);
  if (outputs == OutputKind::Values) return (from - to).square().mean().item<double>();
  if (outputs == OutputKind::Binary) {
    const auto pairs = [](const at::Tensor& z) { return at::stack({at::zeros_like(z).flatten(), z.flatten()}, 1); };
    return MeanDivergence(OutputKind::Classes, pairs(from), pairs(to));
  }
  double sum = 0;
  for (std::int64_t n = 0; n < from.size(0); ++n) {
    double from_sum = 0, to_sum = 0;
    for (std::int64_t c = 0; c < from.size(1); ++c) {
      from_sum += std::exp(from[n][c].item<double>());
      to_sum += std::exp(to[n][c].item<double>());
    }
    for (std::int64_t c = 0; c < from.size(1); ++c) {
      const double log_p = from[n][c].item<double>() - std::log(from_sum),
                   log_q = to[n][c].item<double>() - std::log(to_sum);
      sum += std::exp(log_p) * (log_p - log_q);
    }
  }
  return sum / static_cast<double>(from.size(0));
}

class ChangeEffectsOf : public testing::TestWithParam<OutputKind> {};

TEST_P(ChangeEffectsOf, AreTheLossOfOneChangeAndTheMixedDerivativeOfTwo) {
  Criterion criterion;
  criterion.outputs = GetParam();
  criterion.class_axis = 2;
  const auto divergence = [](const at::Tensor& a, const at::Tensor& b) { return MeanDivergence(GetParam(), a, b); };
  const at::Tensor from = Random({6, 2, 4}, 1), now = Random({6, 2, 4}, 2);
  const std::vector<at::Tensor> changed{Random({6, 2, 4}, 3), Random({6, 2, 4}, 4), Random({6, 2, 4}, 5)};
  const auto as_output = [](const at::Tensor& z) { return GetParam() == OutputKind::Several ? z.view({6, 8}) : z; };
  if (GetParam() == OutputKind::Several)
    criterion.several = {{{"a", {4}, ""}, OutputKind::Classes, 1}, {{"b", {2, 2}, ""}, OutputKind::Values, kWeight}};
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& z : changed) outputs.push_back(as_output(z));
  const ChangeEffects effects = EffectsOf(criterion, as_output(from), as_output(now), outputs, {});
  for (std::int64_t n = 0; n < 6; ++n)
    for (std::size_t i = 0; i < 3; ++i) {
      const double own = divergence(from[n], changed[i][n]) - divergence(from[n], now[n]);
      EXPECT_NEAR(effects.own[static_cast<std::int64_t>(i)][n].item<double>(), own, 1e-12);
      for (std::size_t j = 0; j < 3; ++j) {
        constexpr double kStep = 1e-3;
        const at::Tensor a = (changed[i] - now)[n] * kStep, b = (changed[j] - now)[n] * kStep;
        const double mixed = divergence(from[n], now[n] + a + b) - divergence(from[n], now[n] + a - b) -
                             divergence(from[n], now[n] - a + b) + divergence(from[n], now[n] - a - b);
        const at::Tensor cross =
            effects.shifts[static_cast<std::int64_t>(i)][n] * effects.shifts[static_cast<std::int64_t>(j)][n];
        EXPECT_NEAR(cross.sum().item<double>(), mixed / (4 * kStep * kStep), 1e-4);
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Outputs, ChangeEffectsOf,
                         testing::Values(OutputKind::Classes, OutputKind::Binary, OutputKind::Values,
                                         OutputKind::Several),
                         [](const auto& test) { return std::string(ToString(test.param)); });

Problem Widths() {
  Problem problem{.name = "widths", .objective = "none", .groups = {}, .budgets = {{"c", 40}}};
  for (const char* name : {"a", "b", "c"}) {
    Group group{name, {name}, {}};
    for (const int weight : {2, 4, 8})
      for (const int input : {4, 8})
        group.choices.push_back(
            {"w" + std::to_string(weight) + "a" + std::to_string(input), 0, {{"c", weight * input / 2.0}}});
    problem.groups.push_back(group);
  }
  problem.rules = {
      {{"a", "b"}, {{"w2a4", "w2a4"}, {"w4a4", "w4a4"}, {"w4a4", "w2a4"}, {"w4a4", "w4a8"}, {"w8a4", "w4a4"}}}};
  return problem;
}

TEST(Neighbors, AreTheNextWidthsOfWeightsOrInputs) {
  const Problem problem = Widths();
  std::set<std::pair<std::size_t, std::string>> found;
  for (const Change& change : NeighborsOf(problem, {2, 0, 5}))  // w4a4, w2a4, w8a8
    found.emplace(change.group, problem.groups[change.group].choices[change.choice].name);
  EXPECT_THAT(found, UnorderedElementsAre(std::pair(0, "w2a4"), std::pair(0, "w8a4"), std::pair(0, "w4a8"),
                                          std::pair(1, "w4a4"), std::pair(1, "w2a8"), std::pair(2, "w4a8"),
                                          std::pair(2, "w8a4")));
}

TEST(Neighbors, GoTogetherWhereWidthsAreEqual) {
  Problem problem = Widths();
  problem.groups[0].choices = {{"w2a2", 0, {}}, {"w4a4", 0, {}}, {"w8a8", 0, {}}};
  EXPECT_EQ(NeighborsOf(problem, {0, 0, 0}).front(), (Change{0, 1}));
}

TEST(Exchanges, AreAllThatBudgetsAndRulesAllowInTheOrderOfWhatTheyArePredictedToDo) {
  const Problem problem = Widths();
  const Choices plan{2, 2, 2};  // w4a4 each: 24 of 40
  const std::vector<Change> changes = NeighborsOf(problem, plan);
  const auto count = static_cast<std::int64_t>(changes.size());
  // The same in each of five samples: known without error, and so not shrunk.
  const ChangeEffects effects{Random({count, 1}, 6).expand({count, 5}), Random({count, 1, 3}, 7).expand({count, 5, 3})};
  const std::vector<Exchange> ranked = RankedExchanges(problem, plan, changes, effects);
  std::set<Choices> allowed;
  for (std::size_t i = 0; i < changes.size(); ++i)
    for (std::size_t j = i; j < changes.size(); ++j) {
      Choices next = plan;
      next[changes[i].group] = changes[i].choice;
      if (j > i && changes[i].group == changes[j].group) continue;
      next[changes[j].group] = changes[j].choice;
      double spent = 0;
      for (std::size_t g = 0; g < 3; ++g) spent += problem.groups[g].choices[next[g]].costs.at("c");
      const auto& rows = problem.rules[0].allowed;
      const std::vector<std::string> row{problem.groups[0].choices[next[0]].name,
                                         problem.groups[1].choices[next[1]].name};
      if (spent <= 40 && std::find(rows.begin(), rows.end(), row) != rows.end()) allowed.insert(next);
    }
  std::set<Choices> found;
  for (const Exchange& exchange : ranked) {
    EXPECT_TRUE(found.insert(Changed(plan, exchange.changes)).second);
    double expected = 0;
    std::vector<std::int64_t> at;
    for (const Change& change : exchange.changes) {
      at.push_back(std::find(changes.begin(), changes.end(), change) - changes.begin());
      expected += effects.own[at.back()][0].item<double>();
    }
    if (at.size() == 2) expected += (effects.shifts[at[0]][0] * effects.shifts[at[1]][0]).sum().item<double>();
    EXPECT_NEAR(exchange.expected, expected, 1e-12);
  }
  EXPECT_EQ(found, allowed);
  EXPECT_GT(found.size(), 5U);
  EXPECT_TRUE(std::is_sorted(ranked.begin(), ranked.end(),
                             [](const Exchange& a, const Exchange& b) { return a.expected < b.expected; }));
}

/// Samples say what the problem predicts, in another unit and with much noise: expectations are nearer to the truth
/// than their means.
TEST(Exchanges, AreShrunkTowardsWhatTheProblemPredicts) {
  Problem problem = Widths();
  problem.rules.clear();
  for (Group& group : problem.groups)
    for (std::size_t c = 0; c < group.choices.size(); ++c)
      group.choices[c].objective = 1.0 / static_cast<double>(c + 1);
  const Choices plan{2, 2, 2};
  const std::vector<Change> changes = NeighborsOf(problem, plan);
  const auto count = static_cast<std::int64_t>(changes.size());
  at::Tensor truth = at::empty({count, 1}, at::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    const Change& change = changes[static_cast<std::size_t>(i)];
    truth[i][0] = 3 * (problem.groups[change.group].choices[change.choice].objective -
                       problem.groups[change.group].choices[2].objective);
  }
  const at::Tensor noisy = truth + 3 * Random({count, 20}, 8);
  double error = 0, unshrunk = 0;
  for (const Exchange& exchange :
       RankedExchanges(problem, plan, changes, {noisy, at::zeros({count, 20, 1}, at::kDouble)})) {
    double expected = 0, mean = 0;
    for (const Change& change : exchange.changes) {
      const auto at = std::find(changes.begin(), changes.end(), change) - changes.begin();
      expected += truth[at][0].item<double>();
      mean += noisy[at].mean().item<double>();
    }
    error += std::pow(exchange.expected - expected, 2);
    unshrunk += std::pow(mean - expected, 2);
  }
  EXPECT_LT(error, 0.5 * unshrunk);
}

}  // namespace
}  // namespace bitplan::choose
