#include "tree/swaps.h"

#include <gtest/gtest.h>

#include <random>

#include "search/brute_force.h"
#include "search/random_problem.h"

namespace bitplan::search {
namespace {

using search_test::TiedProblem;

/// The least objective of the plans within the budgets that take columns of `part` only; infinite when there is none.
double BestOf(const Problem& problem, const Core& core, const Subproblem& part) {
  std::vector<std::vector<bool>> has(core.groups());
  for (std::size_t g = 0; g < core.groups(); ++g) has[g].resize(problem.groups[g].choices.size());
  for (const Index column : part.column) has[core.group[column]][core.choice[column]] = true;
  for (const Index column : part.settled)
    if (column != Subproblem::kFree) has[core.group[column]][core.choice[column]] = true;
  double best = kInfinity;
  for (const auto& plan : search_test::AllPlans(problem)) {
    bool of_part = true;
    for (std::size_t g = 0; g < plan.size(); ++g) of_part = of_part && has[g][plan[g]];
    if (of_part) best = std::min(best, search_test::Objective(problem, plan));
  }
  return best;
}

/// One side of a random branch.
struct Side {
  Index group = 0;
  std::optional<Subproblem> part;
};
Side RandomSide(const Core& core, std::mt19937& random) {
  const auto group = static_cast<Index>(random() % core.groups());
  std::vector<char> keep(core.columns(), 1);
  for (Index c = core.first[group]; c < core.first[group + 1]; ++c) keep[c] = random() % 2 == 0;
  return {group, Restrict(core, WholeOf(core), keep)};
}

TEST(Swaps, NeverLeaveOutTheBestPlan) {
  int taken_out = 0, of_a_best_plan = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const Problem problem = TiedProblem(seed, 6, 2, 4, 1 + static_cast<int>(seed % 3), 0.1);
    const Core core = BuildCore(problem, Goal::Loss);
    if (core.groups() < problem.groups.size()) continue;
    const double best = BestOf(problem, core, WholeOf(core));
    const Swaps swaps(core);
    std::mt19937 random(static_cast<unsigned>(seed));
    for (int i = 0; i < 10; ++i) {
      const Side side = RandomSide(core, random);
      if (!side.part || BestOf(problem, core, *side.part) != best) continue;
      const auto rest = swaps.Restrict(core, *side.part, side.group);
      ASSERT_TRUE(rest) << problem.name;
      ASSERT_EQ(BestOf(problem, core, *rest), best) << problem.name << ", side " << i;
      ++of_a_best_plan;
      taken_out += rest->columns() < side.part->columns();
    }
  }
  EXPECT_GT(of_a_best_plan, 300);
  EXPECT_GT(taken_out, 100);
}

/// Two layers of one size, the first with more to gain from the dearer column.
Problem Two(double gain_of_first, double gain_of_second) {
  Problem problem;
  for (const double gain : {gain_of_first, gain_of_second})
    problem.groups.push_back(
        {"g" + std::to_string(problem.groups.size()), {}, {{"a", gain, {{"c", 1}}}, {"b", 0, {{"c", 3}}}}});
  problem.budgets = {{"c", 4}};
  return problem;
}

TEST(Swaps, KeepTheOrderInWhichGroupsOfOneSizeGain) {
  const Core core = BuildCore(Two(5, 4), Goal::Loss);
  const auto without = [&](Index group, std::size_t choice) {
    std::vector<char> keep(core.columns(), 1);
    for (Index c = 0; c < core.columns(); ++c)
      if (core.group[c] == group && core.choice[c] == choice) keep[c] = 0;
    const Subproblem part = *Restrict(core, WholeOf(core), keep);
    return *Swaps(core).Restrict(core, part, group);
  };
  // The second takes the dear column: so does the first, which gains more.
  const Subproblem dear = without(1, 0);
  EXPECT_EQ(core.choice[dear.settled[0]], 1U);
  // The second takes the cheap one: the first is free.
  EXPECT_EQ(without(1, 1).settled[0], Subproblem::kFree);
  // The first takes the cheap one: so does the second.
  const Subproblem cheap = without(0, 1);
  EXPECT_EQ(core.choice[cheap.settled[1]], 0U);
}

TEST(Swaps, OrderEqualGroupsByTheirNumbers) {
  const Core core = BuildCore(Two(5, 5), Goal::Loss);
  int settled = 0;
  for (const Index group : {0, 1})
    for (const std::size_t choice : {0, 1}) {
      std::vector<char> keep(core.columns(), 1);
      for (Index c = 0; c < core.columns(); ++c)
        if (core.group[c] == group && core.choice[c] == choice) keep[c] = 0;
      const auto part = Swaps(core).Restrict(core, *Restrict(core, WholeOf(core), keep), group);
      ASSERT_TRUE(part);
      settled += part->groups() == 0;
    }
  EXPECT_EQ(settled, 2);  // of the plans ab and ba one is enough; aa and bb stay
}

TEST(Swaps, DoNotConcernGroupsWithCostsOfTheirOwn) {
  const Core core = BuildCore(search_test::LargeProblem(1, 10, 4, 2), Goal::Loss);
  const Swaps swaps(core);
  for (Index g = 0; g < core.groups(); ++g) EXPECT_FALSE(swaps.Concern(g));
}

}  // namespace
}  // namespace bitplan::search
