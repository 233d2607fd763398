#include <gtest/gtest.h>

#include "bitplan/plan.h"

namespace bitplan::plan {
namespace {

/// Divergences that fall as `all` + 20 / samples.
CorrectionGain Falling(double uncorrected, double all) {
  constexpr std::int64_t kSamples = 100;
  return {kSamples, uncorrected, all + 20.0 / kSamples, all + 20.0 / (kSamples / 2)};
}

TEST(CorrectionGain, TellsHowManySamplesItTakesToGain) {
  const CorrectionGain gain = Falling(0.25, 0.125);
  EXPECT_DOUBLE_EQ(gain.Gain(), 0.25 - 0.325);
  EXPECT_EQ(gain.SamplesNeeded(), 160);  // 0.125 + 20 / 160 = 0.25
}

TEST(CorrectionGain, TellsWhereNoNumberOfSamplesIsEnough) {
  EXPECT_EQ(Falling(0.1, 0.125).SamplesNeeded(), 0);
  const CorrectionGain rising{100, 0.1, 0.3, 0.2};
  EXPECT_EQ(rising.SamplesNeeded(), 0);
}

TEST(CorrectionGain, DoesNotGuessFromASingleFit) {
  EXPECT_FALSE((CorrectionGain{100, 0.1, 0.3}).SamplesNeeded());
  EXPECT_FALSE((CorrectionGain{100, 0.5, 0.3, 0.2}).SamplesNeeded());
}

}  // namespace
}  // namespace bitplan::plan
