#include "accumulator.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <vector>

namespace bitplan::integer {
namespace {

/// What a register holds of a sum, from the definition: the nearest end, or the number that differs by whole turns.
std::int64_t HeldBy(const Accumulator& accumulator, std::int64_t sum) {
  const std::int64_t largest = accumulator.Largest(), least = -largest - 1;
  if (accumulator.overflow == Overflow::Saturate) return sum > largest ? largest : sum < least ? least : sum;
  const std::int64_t turn = 2 * (largest + 1);
  while (sum > largest) sum -= turn;
  while (sum < least) sum += turn;
  return sum;
}

TEST(Accumulator, HasTheEndsOfTwosComplement) {
  EXPECT_EQ((Accumulator{8}.Largest()), 127);
  EXPECT_EQ((Accumulator{32}.Largest()), 2147483647);
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
        sums[i] = HeldBy(accumulator, exact);
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

/// Sums of products in order against the definition, in registers of so many bits, of numbers up to so large.
void CheckSums(const Accumulator& accumulator, std::int64_t largest_code) {
  SCOPED_TRACE(accumulator.bits);
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{5});
  const std::int64_t groups = 2, channels = 3, terms = 40, length = 37;
  const auto draw = [&](at::IntArrayRef shape) {
    return at::randint(-largest_code, largest_code + 1, shape, generator, at::kInt);
  };
  const at::Tensor patches = draw({groups, terms, length}), weights = draw({groups, channels, terms});
  const Accumulated found = SumInOrder(patches, weights, accumulator);
  std::int64_t wrong = 0, count = 0;
  const auto x = patches.accessor<std::int32_t, 3>(), w = weights.accessor<std::int32_t, 3>();
  for (std::int64_t g = 0; g < groups; ++g)
    for (std::int64_t o = 0; o < channels; ++o)
      for (std::int64_t l = 0; l < length; ++l) {
        std::int64_t sum = 0;
        bool overflowed = false;
        for (std::int64_t k = 0; k < terms; ++k) {
          const std::int64_t exact = sum + std::int64_t{w[g][o][k]} * x[g][k][l];
          sum = HeldBy(accumulator, exact);
          overflowed |= sum != exact;
        }
        wrong += found.sums[g][o][l].item<std::int64_t>() != sum;
        wrong += found.overflowed[g][o][l].item<bool>() != overflowed;
        count += overflowed;
      }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(count, 0);
  EXPECT_LT(count, groups * channels * length);
}

TEST(Accumulator, SumsProductsInOrder) {
  for (const Overflow overflow : {Overflow::Saturate, Overflow::Wrap}) {
    CheckSums({8, overflow}, 5);
    CheckSums({16, overflow}, 100);
    CheckSums({24, overflow}, 1'500);
    CheckSums({31, overflow}, 16'000);  // up to what 32 bits hold
    CheckSums({32, overflow}, 24'000);
    CheckSums({40, overflow}, 380'000);
  }
}

}  // namespace
}  // namespace bitplan::integer
