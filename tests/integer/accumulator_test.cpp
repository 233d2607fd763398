#include "integer/accumulator.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace bitplan {
namespace {

TEST(Accumulator, SaturatesAtItsEnds) {
  const Accumulator accumulator{8, Overflow::Saturate};
  EXPECT_EQ(accumulator.Held(127), 127);
  EXPECT_EQ(accumulator.Held(128), 127);
  EXPECT_EQ(accumulator.Held(-128), -128);
  EXPECT_EQ(accumulator.Held(-1000), -128);
}

TEST(Accumulator, WrapsToItsLowestBits) {
  for (std::int64_t sum = -2000; sum <= 2000; ++sum)
    EXPECT_EQ((Accumulator{8, Overflow::Wrap}.Held(sum)), static_cast<std::int8_t>(sum));
}

TEST(Accumulator, AddsAsItHolds) {
  for (const Overflow overflow : {Overflow::Saturate, Overflow::Wrap}) {
    const Accumulator accumulator{10, overflow};
    Accumulated accumulated = Accumulated::Zeros({50});
    std::vector<std::int64_t> sums(50, 0);
    std::vector<bool> overflowed(50, false);
    for (std::int64_t step = 0; step < 20; ++step) {
      const at::Tensor numbers = at::arange(50) * (step % 3 - 1) * 7 - step;
      accumulated.Add(numbers, accumulator);
      for (std::size_t i = 0; i < sums.size(); ++i) {
        const std::int64_t exact = sums[i] + numbers[static_cast<std::int64_t>(i)].item<std::int64_t>();
        sums[i] = accumulator.Held(exact);
        if (sums[i] != exact) overflowed[i] = true;
      }
    }
    std::int64_t count = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      EXPECT_EQ(accumulated.sums[static_cast<std::int64_t>(i)].item<std::int64_t>(), sums[i]);
      count += overflowed[i] ? 1 : 0;
    }
    EXPECT_GT(count, 0);
    EXPECT_EQ(accumulated.overflowed.sum().item<std::int64_t>(), count);
  }
}

}  // namespace
}  // namespace bitplan
