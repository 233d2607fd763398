#include "data/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "data/fixtures.h"

namespace bitplan::data {
namespace {

// expected.json has the draws of a Mersenne Twister and shuffle written in Python.
TEST(DrawSamples, IsTheSameEverywhere) {
  ASSERT_GE(test::Expected().at("draws").size(), 5u);
  for (const auto& draw : test::Expected().at("draws")) {
    EXPECT_EQ(DrawSamples(draw.at("total"), draw.at("count"), draw.at("seed")),
              draw.at("order").get<std::vector<std::int64_t>>());
  }
}

TEST(DrawSamples, NeverRepeatsASample) {
  std::vector<std::int64_t> order = DrawSamples(1000, 1000, 9);
  std::vector<std::int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_NE(order, all);
  std::ranges::sort(order);
  EXPECT_EQ(order, all);
}

TEST(DrawSamples, ExtendsASmallerDraw) {
  const std::vector<std::int64_t> few = DrawSamples(50, 5, 3), many = DrawSamples(50, 20, 3);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(DrawSamples, DiffersBySeed) { EXPECT_NE(DrawSamples(1000, 10, 0), DrawSamples(1000, 10, 1)); }

TEST(DrawSamples, TakesEverySampleEquallyOften) {
  std::vector<int> taken(10);
  for (std::uint64_t seed = 0; seed < 10000; ++seed) {
    for (const std::int64_t sample : DrawSamples(10, 3, seed)) ++taken[static_cast<std::size_t>(sample)];
  }
  // Binomial(10000, 0.3) has a standard deviation of 46.
  for (const int count : taken) EXPECT_NEAR(count, 3000, 230);
}

}  // namespace
}  // namespace bitplan::data
