// What every bounder promises: nothing that a node can become is below its bound.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

#include "search/infeasibility.h"
#include "search/joint_objective.h"
#include "search/random_joint_problem.h"

namespace bitplan::search {
namespace {

using search_test::JointKind;
using search_test::RandomJointProblem;
using Generator = std::mt19937_64;

/// With the budgets, where each can be met.
Core CoreOf(const Problem& problem) {
  Problem separable{problem.name, "", problem.groups, problem.budgets, {}};
  if (FindUnmeetableBudget(separable)) separable.budgets.clear();
  return BuildCore(separable, Goal::Loss, Dominated::Kept);
}

struct Case {
  Problem problem;
  Core core;
  std::unique_ptr<JointObjective> objective;
  JointOrder order;
  Eigen::VectorXd shares;
};

Eigen::VectorXd RandomShares(Generator& random, const JointOrder& order) {
  Eigen::VectorXd shares(static_cast<Eigen::Index>(order.column.size()));
  for (double& share : shares) share = static_cast<double>(random() % 5);
  for (Index g = 0; g < order.groups(); ++g) {
    auto part = shares.segment(order.first[g], order.first[g + 1] - order.first[g]);
    if (part.sum() == 0) part.setOnes();
    part /= part.sum();
  }
  return shares;
}

/// Groups in random order.
Case MakeCase(std::uint64_t seed, JointKind kind) {
  Generator random(seed);
  Case made;
  made.problem = RandomJointProblem(seed, kind);
  made.core = CoreOf(made.problem);
  std::vector<Together> parts(made.core.columns());
  Eigen::VectorXd linear(static_cast<Eigen::Index>(parts.size()));
  std::vector<std::size_t> before{0};
  for (const auto& group : made.problem.groups) before.push_back(before.back() + group.choices.size());
  for (std::size_t c = 0; c < parts.size(); ++c) {
    parts[c] = {before[made.core.group[c]] + made.core.choice[c]};
    linear[static_cast<Eigen::Index>(c)] =
        made.problem.groups[made.core.group[c]].choices[made.core.choice[c]].objective;
  }
  made.objective = MakeJointObjective(*made.problem.joint, made.problem.ChoiceCount(), std::move(linear), parts);
  std::vector<Index> groups(made.core.groups());
  std::iota(groups.begin(), groups.end(), Index{0});
  std::shuffle(groups.begin(), groups.end(), random);
  made.order.first.push_back(0);
  for (const Index g : groups) {
    for (Index c = made.core.first[g]; c < made.core.first[g + 1]; ++c) made.order.column.push_back(c);
    made.order.first.push_back(static_cast<Index>(made.order.column.size()));
  }
  made.shares = RandomShares(random, made.order);
  return made;
}

JointNode RandomNode(Generator& random, const Case& made) {
  JointNode node;
  const auto depth = static_cast<Index>(random() % made.order.groups());
  for (Index g = 0; g < depth; ++g)
    node.settled.push_back(made.order.first[g] +
                           static_cast<Index>(random() % (made.order.first[g + 1] - made.order.first[g])));
  const Index begin = made.order.first[depth];
  node.allowed.resize(made.order.column.size() - begin);
  for (char& allowed : node.allowed) allowed = random() % 4 > 0;
  for (Index g = depth; g < made.order.groups(); ++g) node.allowed[made.order.first[g] - begin] = 1;
  node.start.shares = made.shares.tail(static_cast<Eigen::Index>(node.allowed.size()));
  node.start.multipliers = Eigen::VectorXd::Constant(static_cast<Eigen::Index>(made.core.budgets()), 0.1);
  return node;
}

/// The least objective of the node's plans that take each free column; infinite where there is none.
std::vector<double> LeastWith(const Case& made, const JointNode& node) {
  const auto depth = static_cast<Index>(node.settled.size());
  const Index begin = made.order.first[depth];
  std::vector<double> least(node.allowed.size(), kInfinity);
  CorePlan plan(made.core.groups());
  std::vector<Index> taken;
  const auto place = [&](Index position) {
    const Index column = made.order.column[position];
    plan[made.core.group[column]] = column;
  };
  for (const Index position : node.settled) place(position);
  const std::function<void(Index)> visit = [&](Index g) {
    if (g == made.order.groups()) {
      if (made.core.Value(plan) == kInfinity) return;
      const double value = made.objective->Value(plan);
      for (const Index position : taken) least[position - begin] = std::min(least[position - begin], value);
      return;
    }
    for (Index c = made.order.first[g]; c < made.order.first[g + 1]; ++c) {
      if (!node.allowed[c - begin]) continue;
      place(c);
      taken.push_back(c);
      visit(g + 1);
      taken.pop_back();
    }
  };
  visit(depth);
  return least;
}

class JointBounderContract : public testing::TestWithParam<JointKind> {};

TEST_P(JointBounderContract, NothingIsBelowTheBoundNorBelowItAndTheReducedLoss) {
  int tight = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Case made = MakeCase(seed, GetParam());
    const auto bounder = made.objective->MakeBounder(made.core, made.order, made.shares);
    Generator random(seed);
    Monitor monitor({.time_limit_seconds = 60});
    for (int trial = 0; trial < 4; ++trial) {
      const JointNode node = RandomNode(random, made);
      const std::vector<double> least = LeastWith(made, node);
      const double optimum = *std::min_element(least.begin(), least.end());
      if (optimum == kInfinity) continue;
      for (const double cutoff : {kInfinity, optimum + std::abs(optimum), optimum - 0.1 * std::abs(optimum)}) {
        const QuadraticBound bound = bounder->Bound(node, cutoff, Effort::Full, monitor);
        const double slack = 1e-12 * std::max(1.0, std::abs(optimum));
        ASSERT_LE(bound.bound, optimum + slack) << made.problem.name;
        for (std::size_t c = 0; c < least.size(); ++c)
          if (node.allowed[c]) {
            ASSERT_LE(bound.bound + bound.reduced_loss[static_cast<Eigen::Index>(c)], least[c] + slack)
                << made.problem.name;
          }
        tight += bound.bound > optimum - 0.05 * std::abs(optimum);
      }
    }
  }
  EXPECT_GT(tight, 1000);
}

std::string NameOf(const testing::TestParamInfo<JointKind>& kind) {
  constexpr const char* kNames[] = {"Matrix", "SquaredShift", "Divergence"};
  return kNames[static_cast<std::size_t>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, JointBounderContract,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence), NameOf);

}  // namespace
}  // namespace bitplan::search
