#include "tree/reduced_core.h"

#include <gtest/gtest.h>

#include <random>

#include "random_problem.h"
#include "tree/feasibility.h"

namespace bitplan::search {
namespace {

using search_test::LargeProblem;

/// The root of `core` with three groups in four settled on a column of theirs.
Node SettleMost(const Core& core, std::uint32_t seed) {
  std::mt19937 random(seed);
  Monitor monitor({.time_limit_seconds = 60});
  const Subproblem whole = WholeOf(core);
  std::vector<char> keep(whole.columns(), 1);
  for (std::size_t g = 0; g < whole.groups(); ++g) {
    const Index width = whole.first[g + 1] - whole.first[g];
    if (random() % 4 == 0) continue;
    const Index kept = whole.first[g] + static_cast<Index>(random() % width);
    for (Index c = whole.first[g]; c < whole.first[g + 1]; ++c) keep[c] = c == kept;
  }
  Subproblem part = *Restrict(core, whole, keep);
  Relaxation relaxation = SolveRelaxation(core, part, {}, kInfinity, monitor);
  return Node(std::move(part), std::move(relaxation), -kInfinity);
}

TEST(ReducedCore, HasTheBoundOfTheNode) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const Core core = BuildCore(LargeProblem(seed, 30, 8, 3), Goal::Loss);
    const Node node = SettleMost(core, seed);
    const ReducedCore reduced = Reduce(core, node);
    ASSERT_LT(reduced.core.groups(), core.groups());
    Monitor monitor({.time_limit_seconds = 60});
    const Node again = SolveRoot(reduced.core, monitor);
    ASSERT_EQ(again.relaxation.infeasible, node.relaxation.infeasible);
    if (again.relaxation.infeasible) continue;
    EXPECT_NEAR(again.bound, node.bound, 1e-12 * node.bound);
    const Relaxation warm =
        SolveRelaxation(reduced.core, reduced.root.part, reduced.root.relaxation.basis, kInfinity, monitor);
    EXPECT_NEAR(warm.bound, node.bound, 1e-12 * node.bound);
  }
}

TEST(ReducedCore, ValuesPlansAsTheWholeCoreDoes) {
  std::mt19937 random(1);
  for (std::uint32_t seed = 0; seed < 20; ++seed)
    for (const Goal goal : {Goal::Loss, Goal::PeakUse}) {
      const Core core = BuildCore(LargeProblem(seed, 30, 8, 3), goal);
      const ReducedCore reduced = Reduce(core, SettleMost(core, seed));
      for (int trial = 0; trial < 50; ++trial) {
        CorePlan plan;
        for (std::size_t g = 0; g < reduced.core.groups(); ++g) {
          const Index first = reduced.core.first[g], width = reduced.core.first[g + 1] - first;
          plan.push_back(first + static_cast<Index>(random() % width));
        }
        const double value = core.Value(reduced.Expand(plan));
        if (value == kInfinity)
          EXPECT_EQ(reduced.core.Value(plan), kInfinity);
        else
          EXPECT_NEAR(reduced.core.Value(plan), value, 1e-12 * value);
      }
    }
}

}  // namespace
}  // namespace bitplan::search
