#include "averages.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace bitplan::integer {
namespace {

TEST(Averages, OfAdaptivePoolsHaveTheCountsOfTheirWindows) {
  for (const std::int64_t height : {1, 5, 7, 8})
    for (const std::int64_t outputs : {1, 2, 3}) {
      // Each window's sum of ones, by the average of ones on a plane of which one row counts.
      const at::Tensor counts = AdaptiveCounts({height, 4}, {outputs, 2});
      at::Tensor expected = at::zeros({outputs, 2}, at::kDouble);
      for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < 4; ++x) {
          at::Tensor plane = at::zeros({1, height, 4}, at::kDouble);
          plane[0][y][x] = 1;
          expected += at::adaptive_avg_pool2d(plane, {outputs, 2})[0].ne(0);
        }
      EXPECT_TRUE(counts.equal(expected)) << height << " to " << outputs;
    }
}

TEST(Averages, AreOneMultiplicationFromTheExactSum) {
  const at::Tensor values = at::randint(-1000000000, 1000000000, {7, 49},
                                        at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{3}), at::kLong);
  const at::Tensor averages = RoundedAverages(values.to(at::kDouble).mean(1), at::full({1}, 49, at::kDouble), 31);
  for (std::int64_t row = 0; row < 7; ++row) {
    const double exact = static_cast<double>(values[row].sum().item<std::int64_t>()) / 49;
    EXPECT_NEAR(averages[row].item<double>(), exact, 0.5 + std::abs(exact) * 0x1p-31);
  }
}

}  // namespace
}  // namespace bitplan::integer
