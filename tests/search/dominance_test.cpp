#include "core/dominance.h"

#include <gtest/gtest.h>

#include <random>

namespace bitplan::search {
namespace {

std::vector<std::uint32_t> Left(std::vector<Candidate> group) {
  RemoveDominated(group);
  std::vector<std::uint32_t> left;
  for (const auto& candidate : group) left.push_back(candidate.choice);
  std::sort(left.begin(), left.end());
  return left;
}

TEST(RemoveDominated, KeepsWhatNoOtherChoiceBeatsEverywhere) {
  EXPECT_EQ(Left({{0, 1, {5, 5}}, {1, 2, {4, 6}}, {2, 3, {6, 6}}, {3, 0, {9, 9}}}),
            (std::vector<std::uint32_t>{0, 1, 3}));
}

TEST(RemoveDominated, KeepsTheFirstOfEquals) {
  EXPECT_EQ(Left({{0, 1, {1}}, {1, 1, {1}}, {2, 1, {1}}}), std::vector<std::uint32_t>{0});
}

TEST(RemoveDominated, KeepsTheLeastLossWithoutCosts) {
  EXPECT_EQ(Left({{0, 3, {}}, {1, 1, {}}, {2, 2, {}}}), std::vector<std::uint32_t>{1});
}

TEST(RemoveDominated, SaysWhetherAnythingWent) {
  std::vector<Candidate> group = {{0, 1, {2}}, {1, 2, {1}}};
  EXPECT_FALSE(RemoveDominated(group));
  group.push_back({2, 3, {3}});
  EXPECT_TRUE(RemoveDominated(group));
}

TEST(RemoveDominated, LeavesForEachChoiceOneThatIsNoWorse) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> digit(0, 4);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Candidate> group;
    for (std::uint32_t c = 0; c < 12; ++c)
      group.push_back({c, double(digit(random)), {double(digit(random)), double(digit(random))}});
    auto left = group;
    RemoveDominated(left);
    const auto no_worse = [](const Candidate& a, const Candidate& b) {
      return a.loss <= b.loss && a.costs[0] <= b.costs[0] && a.costs[1] <= b.costs[1];
    };
    for (const auto& candidate : group)
      EXPECT_TRUE(std::any_of(left.begin(), left.end(), [&](const auto& other) { return no_worse(other, candidate); }));
    for (const auto& a : left)
      for (const auto& b : left) EXPECT_TRUE(a.choice == b.choice || !no_worse(a, b));
  }
}

}  // namespace
}  // namespace bitplan::search
