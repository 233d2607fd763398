// Searches that go from region to region find what enumeration finds.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "joint/convex.h"
#include "search/joint_case.h"

namespace bitplan::search {
namespace {

/// An objective whose minorants are soon worth making anew.
class Impatient : public JointObjective {
 public:
  Impatient(const JointObjective& of, std::int64_t nodes) : of_(of), nodes_(nodes) {}
  double Value(const CorePlan& plan) const override { return of_.Value(plan); }
  double Own(Index column) const override { return of_.Own(column); }
  QuadraticModel ExpandAt(const Eigen::VectorXd& x) const override { return of_.ExpandAt(x); }
  QuadraticBound TangentBound(const JointRegion& region, const RegionBudgets& budgets, const QuadraticModel& guide,
                              double cutoff, Monitor& monitor) const override {
    return of_.TangentBound(region, budgets, guide, cutoff, monitor);
  }
  QuadraticModel MinorantOver(const JointRegion& region, const Eigen::VectorXd& shares) const override {
    return of_.MinorantOver(region, shares);
  }
  std::int64_t NodesAMinorant() const override { return nodes_; }

 private:
  const JointObjective& of_;
  std::int64_t nodes_;
};

class ConvexRegions : public testing::TestWithParam<JointKind> {};

TEST_P(ConvexRegions, TheOptimumIsFoundHoweverOftenMinorantsAreMade) {
  Monitor monitor({.time_limit_seconds = 600});
  std::int64_t regions = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Case made = MakeCase(seed, GetParam());
    CorePlan any;
    double optimum = kInfinity;
    JointRegion whole{{}, {std::vector<Index>(made.core.columns()), made.core.first}, {}};
    std::iota(whole.order.column.begin(), whole.order.column.end(), Index{0});
    whole.point.shares.setZero(static_cast<Eigen::Index>(made.core.columns()));
    ForEachPlan(made.core, whole, WholeOf(whole), [&](const CorePlan& plan, const std::vector<Index>&) {
      if (made.core.Value(plan) == kInfinity) return;
      optimum = std::min(optimum, made.objective->Value(plan));
      any = plan;
    });
    if (any.empty()) continue;
    for (const std::int64_t nodes : {1, 2, 5}) {
      const Impatient impatient(*made.objective, nodes);
      const JointResult result = SearchConvexly(made.core, impatient, any, -kInfinity, {}, monitor);
      const double slack = 1e-9 * std::max(1.0, std::abs(optimum));
      ASSERT_NEAR(result.value, optimum, slack) << made.problem.name;
      ASSERT_NEAR(result.bound, optimum, slack) << made.problem.name;
      ASSERT_TRUE(result.complete);
      regions += result.nodes > nodes;
      const JointResult cut = SearchConvexly(made.core, impatient, any, -kInfinity, {.most_nodes = nodes}, monitor);
      ASSERT_LE(cut.bound, optimum + slack) << made.problem.name;
      ASSERT_GE(cut.value, optimum - slack) << made.problem.name;
    }
  }
  EXPECT_GT(regions, 5);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ConvexRegions,
                         testing::Values(JointKind::Matrix, JointKind::SquaredShift, JointKind::Divergence),
                         NameOfKind);

}  // namespace
}  // namespace bitplan::search
