#include "byte_loops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <random>
#include <vector>

namespace bitplan::fast {
namespace {

TEST(RoundToBytes, IsTheRuleInDoublePrecision) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);
  for (const auto& [scale, zero, low, high] :
       {std::tuple{0.05F, 117, 0, 255}, {0.5F, 128, 0, 255}, {0.125F, 0, 0, 15}, {1.0F, 128, 120, 135}}) {
    std::vector<float> values(1001);
    for (float& value : values) value = normal(random);
    values[0] = 0;
    values[1] = scale * 2.5F;  // a tie
    values[2] = -scale * 3.5F;
    values[3] = 1e30F;
    values[4] = -INFINITY;
    std::vector<std::uint8_t> bytes(values.size());
    const float inverse = 1.0F / scale;
    RoundToBytes(values.data(), bytes.data(), static_cast<std::int64_t>(values.size()),
                 {inverse, static_cast<float>(low - zero), static_cast<float>(high - zero), static_cast<float>(zero)});
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double steps = std::nearbyint(static_cast<double>(values[i] * inverse)) + zero;  // to even, as the mode is
      EXPECT_EQ(bytes[i], std::clamp<double>(steps, low, high)) << values[i] << " at scale " << scale;
    }
  }
}

TEST(AddAndClamp, AddsClampsAndGivesTheBytes) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> sum(517), other(517);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = normal(random), other[i] = normal(random);
  std::vector<float> with_bytes = sum, alone = sum;
  std::vector<std::uint8_t> bytes(sum.size()), expected(sum.size());
  const ByteSteps steps{8, 0, 255, 0};
  AddAndClampToBytes(with_bytes.data(), other.data(), bytes.data(), 517, 0, 6, steps);
  AddAndClamp(alone.data(), other.data(), 517, 0, 6);
  RoundToBytes(alone.data(), expected.data(), 517, steps);
  for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_EQ(alone[i], std::clamp(sum[i] + other[i], 0.0F, 6.0F));
  EXPECT_EQ(with_bytes, alone);
  EXPECT_EQ(bytes, expected);
}

}  // namespace
}  // namespace bitplan::fast
