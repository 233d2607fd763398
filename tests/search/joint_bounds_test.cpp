// What bounds on regions and nodes promise: nothing that they can become is below.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "search/joint_case.h"

namespace bitplan::search {
namespace {

using Generator = std::mt19937_64;

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

/// Groups in random order, the first of them settled; of the others some columns are left. At least one group is free.
JointRegion RandomRegion(Generator& random, const Core& core) {
  std::vector<Index> groups(core.groups());
  std::iota(groups.begin(), groups.end(), Index{0});
  std::shuffle(groups.begin(), groups.end(), random);
  JointRegion region{{}, {{}, {0}}, {}};
  const std::size_t settled = random() % groups.size();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Index first = core.first[groups[g]], width = core.first[groups[g] + 1] - first;
    if (g < settled) {
      region.settled.push_back(first + static_cast<Index>(random() % width));
      continue;
    }
    const Index always = first + static_cast<Index>(random() % width);
    for (Index c = first; c < first + width; ++c)
      if (c == always || random() % 4 > 0) region.order.column.push_back(c);
    region.order.first.push_back(static_cast<Index>(region.order.column.size()));
  }
  region.point = {RandomShares(random, region.order),
                  Eigen::VectorXd::Constant(static_cast<Eigen::Index>(core.budgets()), 0.1)};
  return region;
}

JointNode RandomNode(Generator& random, const JointRegion& region) {
  const JointOrder& order = region.order;
  JointNode node;
  const auto depth = static_cast<Index>(random() % order.groups());
  for (Index g = 0; g < depth; ++g)
    node.settled.push_back(order.first[g] + static_cast<Index>(random() % order.Width(g)));
  const Index begin = order.first[depth];
  node.allowed.resize(order.column.size() - begin);
  for (char& allowed : node.allowed) allowed = random() % 4 > 0;
  for (Index g = depth; g < order.groups(); ++g) node.allowed[order.first[g] - begin] = 1;
  node.start = {region.point.shares.tail(static_cast<Eigen::Index>(node.allowed.size())), region.point.multipliers};
  return node;
}

/// The least objective of the node's plans that take each free column; infinite where there is none.
std::vector<double> LeastWith(const Case& made, const JointRegion& region, const JointNode& node) {
  const Index begin = region.order.first[node.settled.size()];
  std::vector<double> least(node.allowed.size(), kInfinity);
  ForEachPlan(made.core, region, node, [&](const CorePlan& plan, const std::vector<Index>& taken) {
    if (made.core.Value(plan) == kInfinity) return;
    const double value = made.objective->Value(plan);
    for (const Index position : taken) least[position - begin] = std::min(least[position - begin], value);
  });
  return least;
}

/// Expects that no plan of the node is below `bound`, nor below it and the reduced loss of a column that it takes.
void ExpectBelow(const QuadraticBound& bound, const JointNode& node, const std::vector<double>& least) {
  const double optimum = *std::min_element(least.begin(), least.end());
  if (optimum == kInfinity) return;
  const double slack = 1e-11 * std::max(1.0, std::abs(optimum));
  ASSERT_LE(bound.bound, optimum + slack);
  for (std::size_t c = 0; c < least.size(); ++c)
    if (node.allowed[c]) {
      ASSERT_LE(bound.bound + bound.reduced_loss[static_cast<Eigen::Index>(c)], least[c] + slack);
    }
}

/// Of the node's optimum: where a search may set its cutoff.
std::vector<double> Cutoffs(const std::vector<double>& least) {
  const double optimum = *std::min_element(least.begin(), least.end());
  if (optimum == kInfinity) return {kInfinity};
  return {kInfinity, optimum + std::abs(optimum), optimum - 0.1 * std::abs(optimum)};
}

class JointBoundsContract : public testing::TestWithParam<JointKind> {
 protected:
  void ForEachRegion(const std::function<void(const Case&, const JointRegion&, Generator&)>& check) const {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Case made = MakeCase(seed, GetParam());
      Generator random(seed);
      for (int trial = 0; trial < 4; ++trial) {
        check(made, RandomRegion(random, made.core), random);
        if (HasFatalFailure()) FAIL() << made.problem.name;
      }
    }
  }
  Monitor monitor_{{.time_limit_seconds = 600}};
};

/// The objective's expansion in the middle.
QuadraticModel GuideOf(const Case& made) {
  Eigen::VectorXd x = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(made.core.columns()));
  for (Index g = 0; g < made.core.groups(); ++g) {
    const Index first = made.core.first[g], width = made.core.first[g + 1] - first;
    x.segment(first, width).setConstant(1.0 / width);
  }
  return made.objective->ExpandAt(x);
}

TEST_P(JointBoundsContract, NoPlanIsBelowTheTangents) {
  int tight = 0;
  ForEachRegion([&](const Case& made, const JointRegion& region, Generator&) {
    const JointNode all = WholeOf(region);
    const std::vector<double> least = LeastWith(made, region, all);
    for (const double cutoff : Cutoffs(least)) {
      const QuadraticBound bound =
          made.objective->TangentBound(region, BudgetsOf(made.core, region), GuideOf(made), cutoff, monitor_);
      ExpectBelow(bound, all, least);
      const double optimum = *std::min_element(least.begin(), least.end());
      tight += bound.bound > optimum - 0.2 * std::abs(optimum);
    }
  });
  if (GetParam() == JointKind::Divergence) {
    EXPECT_GT(tight, 300);
  }
}

TEST_P(JointBoundsContract, TheMinorantIsAtMostTheObjective) {
  int close = 0;
  ForEachRegion([&](const Case& made, const JointRegion& region, Generator&) {
    const QuadraticModel minorant = made.objective->MinorantOver(region, region.point.shares);
    ForEachPlan(made.core, region, WholeOf(region), [&](const CorePlan& plan, const std::vector<Index>& taken) {
      const double value = made.objective->Value(plan), below = minorant.Value(taken);
      ASSERT_LE(below, value + 1e-11 * std::max(1.0, std::abs(value))) << made.problem.name;
      if (GetParam() != JointKind::Divergence) {
        ASSERT_NEAR(below, value, 1e-9 * std::max(1.0, std::abs(value))) << made.problem.name;
      }
      close += below > value - 0.2 * std::abs(value);
    });
  });
  EXPECT_GT(close, 1000);
}

TEST_P(JointBoundsContract, NoPlanIsBelowTheShiftedRelaxation) {
  int tight = 0;
  ForEachRegion([&](const Case& made, const JointRegion& region, Generator& random) {
    ShiftedBounder bounder(made.objective->MinorantOver(region, region.point.shares), BudgetsOf(made.core, region),
                           region);
    for (int visit = 0; visit < 12; ++visit) {  // more than it takes for shifts of their own after some groups
      const JointNode node = RandomNode(random, region);
      const std::vector<double> least = LeastWith(made, region, node);
      for (const double cutoff : Cutoffs(least)) {
        const QuadraticBound bound = bounder.Bound(node, cutoff, 0.1, monitor_);
        ExpectBelow(bound, node, least);
        const double optimum = *std::min_element(least.begin(), least.end());
        tight += std::isfinite(optimum) && bound.bound > optimum - 0.05 * std::abs(optimum);
      }
      if (visit == 6) bounder.Refit(RandomShares(random, region.order));
    }
  });
  EXPECT_GT(tight, 1000);
}

TEST_P(JointBoundsContract, NoPlanIsBelowTheShiftedRelaxationOfAPart) {
  ForEachRegion([&](const Case& made, const JointRegion& region, Generator& random) {
    const ShiftedBounder whole(made.objective->MinorantOver(region, region.point.shares), BudgetsOf(made.core, region),
                               region);
    JointRegion part = region;
    std::vector<char> kept(region.order.column.size());
    for (char& keep : kept) keep = random() % 3 > 0;
    for (Index g = 0; g < region.order.groups(); ++g) kept[region.order.first[g]] = 1;
    ASSERT_TRUE(KeepOnly(kept, part));
    Eigen::VectorXd weight(part.order.groups());
    for (double& w : weight) w = static_cast<double>(random() % 10);
    Arrange(weight, part);
    ShiftedBounder bounder = whole.Of(region, part);
    for (int visit = 0; visit < 3; ++visit) {
      const JointNode node = RandomNode(random, part);
      const std::vector<double> least = LeastWith(made, part, node);
      for (const double cutoff : Cutoffs(least)) ExpectBelow(bounder.Bound(node, cutoff, 0.1, monitor_), node, least);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Kinds, JointBoundsContract,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence),
                         NameOfKind);

}  // namespace
}  // namespace bitplan::search
