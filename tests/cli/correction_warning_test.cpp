#include "correction_warning.h"

#include <gmock/gmock.h>

namespace bitplan::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string Warning(const CorrectionGain& gain, OutputKind outputs = OutputKind::Classes) {
  return CorrectionWarning(gain, "--calibration-samples", 512, outputs);
}

/// Divergences that fall as 1/8 + 1 / samples, each fit of half of the `all` samples; `needed` gain nothing any more.
CorrectionGain Falling(std::int64_t all, double needed) {
  const double half = static_cast<double>(all) / 2;
  return {all / 2, 0.125 + 1 / needed, 0.125 + 1 / half, 0.125 + 2 / half};
}

TEST(CorrectionWarning, ComesWhereMoreSamplesThanThereAreWouldBeNeeded) {
  EXPECT_THAT(Warning(Falling(16, 32)),
              AllOf(HasSubstr("fitted on 8 of them"), HasSubstr("about 32 samples would do")));
  EXPECT_THAT(Warning(Falling(16, 4096)), HasSubstr("is fitted on at most 512"));
  EXPECT_THAT(Warning({8, 0.1, 0.3, 0.2}), HasSubstr("more samples would not help"));
}

TEST(CorrectionWarning, DoesNotComeWhereAllSamplesAreExpectedToDo) {
  EXPECT_EQ(Warning(Falling(16, 9)), "");
  EXPECT_EQ(Warning(Falling(24, 13)), "");
  EXPECT_EQ(Warning({8, 0.5, 0.3}), "");
}

TEST(CorrectionWarning, NamesWhatItMeasured) {
  EXPECT_THAT(Warning({8, 0.1, 0.3, 0.2}), HasSubstr("KL to float is 0.3"));
  EXPECT_THAT(Warning({8, 0.1, 0.3, 0.2}, OutputKind::Values),
              AllOf(HasSubstr("squared error to float is 0.3"), Not(HasSubstr("KL"))));
}

}  // namespace
}  // namespace bitplan::cli
