#include "process/memory_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>

#include "bitplan/error.h"

namespace bitplan::process {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

/// A pass in two places, one after the other, each of which takes bytes of its own and some for each sample.
struct Pass {
  std::int64_t first = 0, of_sample_in_first = 0, second = 0, of_sample_in_second = 0;
  std::int64_t trials = 0, held_at_most = 0;

  void operator()(std::int64_t samples) {
    ++trials;
    for (const std::int64_t bytes : {first + samples * of_sample_in_first, second + samples * of_sample_in_second}) {
      torch::empty({bytes}, torch::kByte);
      held_at_most = std::max(held_at_most, bytes);  // where nothing stopped it
    }
  }
  std::int64_t Bytes(std::int64_t samples) const {
    return std::max(first + samples * of_sample_in_first, second + samples * of_sample_in_second);
  }
};

TEST(SamplesAPass, NeverTakeMoreThanThereIs) {
  for (const Pass& shape :
       {Pass{0, 3 * kMebibyte}, Pass{40 * kMebibyte, 1000, 0, 2 * kMebibyte}, Pass{20 * kMebibyte, kMebibyte},
        Pass{75 * kMebibyte, kMebibyte / 8}, Pass{0, 100, 64 * kMebibyte, 0}, Pass{0, 70 * kMebibyte},
        Pass{70 * kMebibyte, 0, 0, kMebibyte}})
    for (const std::int64_t limit : {150 * kMebibyte, 400 * kMebibyte}) {
      Pass pass = shape;
      const std::int64_t samples = SamplesAPass(1000, limit, 10 * kMebibyte, std::ref(pass), limit);
      const std::int64_t room = PlannedBytes(limit) - 10 * kMebibyte;
      EXPECT_LE(std::max(pass.Bytes(samples), pass.held_at_most), room);
      EXPECT_TRUE(samples == 1000 || pass.Bytes(2 * samples) > room) << samples;
      EXPECT_LE(pass.trials, 12);  // by doubling, at worst
    }
}

TEST(SamplesAPass, AreTheSameUnderAllLimitsThatLeaveRoom) {
  for (const Pass& shape : {Pass{0, kMebibyte}, Pass{100 * kMebibyte, kMebibyte / 2}}) {
    Pass pass = shape;
    const std::int64_t samples = SamplesAPass(1000, 512 * kMebibyte, 0, std::ref(pass));
    EXPECT_GE(samples, kPassBytes / pass.of_sample_in_first * 8 / 10);
    EXPECT_EQ(SamplesAPass(1000, 4096 * kMebibyte, 100 * kMebibyte, std::ref(pass)), samples);
  }
}

TEST(SamplesAPass, OneMayTakeMoreThanAPassShould) {
  Pass pass{0, 200 * kMebibyte};
  EXPECT_EQ(SamplesAPass(10, 2048 * kMebibyte, 0, std::ref(pass)), 1);
}

TEST(SamplesAPass, NothingIsTriedOutThatIsNotNeeded) {
  Pass pass{0, 1000};
  EXPECT_EQ(SamplesAPass(128, 512 * kMebibyte, 0, std::ref(pass)), 128);
  EXPECT_EQ(pass.trials, 1);
}

TEST(SamplesAPass, SayTheLeastThatWouldDo) {
  Pass pass{0, 100 * kMebibyte};
  try {
    SamplesAPass(8, 150 * kMebibyte, 20 * kMebibyte, std::ref(pass));
    FAIL();
  } catch (const MemoryShort& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the memory limit is 150.0 MiB, and one sample takes 175.0 MiB"));
    EXPECT_TRUE(error.exact());
    EXPECT_EQ(SamplesAPass(8, error.least(), 20 * kMebibyte, std::ref(pass)), 1);
    EXPECT_THROW(SamplesAPass(8, error.least() - kMebibyte, 20 * kMebibyte, std::ref(pass)), MemoryShort);
  }
}

TEST(SamplesAPass, OneThatTakesMoreThanTheLimitIsStoppedBeforeItDoes) {
  Pass pass{0, 100 * kMebibyte};
  try {
    SamplesAPass(8, 100 * kMebibyte, 20 * kMebibyte, std::ref(pass));
    FAIL();
  } catch (const MemoryShort& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the memory limit is 100.0 MiB, and one sample takes more"));
    EXPECT_FALSE(error.exact());
  }
  EXPECT_EQ(pass.held_at_most, 0);
}

TEST(PeakBytesWithin, StopsWorkInsideOfOperatorsAndLeavesNothingBehind) {
  const at::Tensor x = torch::ones({1 << 10, 1 << 10}, torch::requires_grad());
  const auto work = [&] { (x.exp() * x.sin()).sum().backward(); };
  const std::int64_t takes = PeakBytes(work);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(PeakBytesWithin(takes - 1, work));
  EXPECT_EQ(PeakBytesWithin(takes, work), takes);
  EXPECT_THROW(PeakBytesWithin(takes, [] { throw Error("its own"); }), Error);
}

}  // namespace
}  // namespace bitplan::process
