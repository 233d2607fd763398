#include "process/memory_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>

#include "bitplan/error.h"

namespace bitplan {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

/// A pass in two places, one after the other, each of which takes bytes of its own and some for each sample.
struct Pass {
  std::int64_t first = 0, of_sample_in_first = 0, second = 0, of_sample_in_second = 0;
  std::int64_t most_samples = 0;

  void operator()(std::int64_t samples) {
    most_samples = std::max(most_samples, samples);
    torch::empty({first + samples * of_sample_in_first}, torch::kByte);
    torch::empty({second + samples * of_sample_in_second}, torch::kByte);
  }
  std::int64_t Bytes(std::int64_t samples) const {
    return std::max(first + samples * of_sample_in_first, second + samples * of_sample_in_second);
  }
};

TEST(SamplesAPass, NeverTakeMoreThanThereIs) {
  for (const Pass& shape : {Pass{0, 3 * kMebibyte}, Pass{40 * kMebibyte, 1000, 0, 2 * kMebibyte},
                            Pass{20 * kMebibyte, kMebibyte}, Pass{0, 100, 64 * kMebibyte, 0}})
    for (const std::int64_t limit : {150 * kMebibyte, 400 * kMebibyte}) {
      Pass pass = shape;
      const std::int64_t samples = SamplesAPass(1000, limit, 10 * kMebibyte, std::ref(pass), limit);
      const std::int64_t room = PlannedBytes(limit) - 10 * kMebibyte;
      EXPECT_LE(pass.Bytes(std::max(samples, pass.most_samples)), room);
      const bool one_tells_no_more = 2 * pass.Bytes(1) > room;  // how much of it more samples would take
      EXPECT_TRUE(samples == 1000 || one_tells_no_more || pass.Bytes(3 * samples + 1) > room) << samples;
    }
}

TEST(SamplesAPass, AreTheSameUnderAllLimitsThatLeaveRoom) {
  Pass pass{0, kMebibyte};
  const std::int64_t samples = SamplesAPass(1000, 512 * kMebibyte, 0, std::ref(pass));
  EXPECT_EQ(samples, kPassBytes / kMebibyte);
  EXPECT_EQ(SamplesAPass(1000, 4096 * kMebibyte, 100 * kMebibyte, std::ref(pass)), samples);
}

TEST(SamplesAPass, OneMayTakeMoreThanAPassShould) {
  Pass pass{0, 200 * kMebibyte};
  EXPECT_EQ(SamplesAPass(10, 2048 * kMebibyte, 0, std::ref(pass)), 1);
}

TEST(SamplesAPass, NothingIsTriedOutThatIsNotNeeded) {
  Pass pass{0, 1000};
  EXPECT_EQ(SamplesAPass(128, 512 * kMebibyte, 0, std::ref(pass)), 128);
  EXPECT_EQ(pass.most_samples, 1);
}

TEST(SamplesAPass, SayTheLeastThatWouldDo) {
  Pass pass{0, 100 * kMebibyte};
  try {
    SamplesAPass(8, 100 * kMebibyte, 20 * kMebibyte, std::ref(pass));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the memory limit is 100.0 MiB, and one sample takes 175.0 MiB"));
  }
  EXPECT_EQ(SamplesAPass(8, 176 * kMebibyte, 20 * kMebibyte, std::ref(pass)), 1);
}

}  // namespace
}  // namespace bitplan
