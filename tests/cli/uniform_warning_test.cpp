#include "uniform_warning.h"

#include <gmock/gmock.h>

namespace bitplan::cli {
namespace {

using testing::HasSubstr;

/// A plan and a uniform one at these divergences from the float network.
EvaluationReport Measured(double planned, double uniform) {
  EvaluationReport report;
  report.planned = Evaluation{};
  report.planned->divergence = planned;
  report.uniform = Evaluation{};
  report.uniform->divergence = uniform;
  report.uniform_bits = LayerBits{"", 4, 32};
  return report;
}

TEST(UniformWarning, ComesWhereTheUniformPlanIsNearerToTheFloatNetwork) {
  const std::string warning = UniformWarning(Measured(0.25, 0.125));
  EXPECT_THAT(warning, HasSubstr("further from the float network (0.25) than uniform w4a32 (0.125)"));
  EXPECT_THAT(warning, HasSubstr("--samples"));
  EXPECT_THAT(warning, HasSubstr("--candidates"));
}

TEST(UniformWarning, ShowsSmallDivergencesAsTheyAre) {
  EXPECT_THAT(UniformWarning(Measured(0.00025, 0.000125)), HasSubstr("(0.00025) than uniform w4a32 (0.000125)"));
}

TEST(UniformWarning, DoesNotComeWhereThePlanIsAsNearOrThereIsNoUniformOne) {
  EXPECT_EQ(UniformWarning(Measured(0.125, 0.25)), "");
  EXPECT_EQ(UniformWarning(Measured(0.125, 0.125)), "");
  EvaluationReport alone = Measured(0.25, 0.125);
  alone.uniform.reset();
  EXPECT_EQ(UniformWarning(alone), "");
  alone = Measured(0.25, 0.125);
  alone.uniform_bits.reset();
  EXPECT_EQ(UniformWarning(alone), "");
  alone = Measured(0.25, 0.125);
  alone.planned.reset();
  EXPECT_EQ(UniformWarning(alone), "");
}

}  // namespace
}  // namespace bitplan::cli
