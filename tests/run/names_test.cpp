// One way from enums to text and back, for all of them.
#include "bitplan/names.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "bitplan/integer.h"
#include "bitplan/run.h"
#include "bitplan/train.h"
#include "message_of.h"

namespace bitplan {
namespace {

template <typename Enum>
class EnumNames : public testing::Test {};

using Enums = testing::Types<Arithmetic, BatchNormFolding, Calibrator, Delta, Granularity, LearningRateSchedule, Loss,
                             Measure, NumberType, OptimizerKind, OutputCorrection, Overflow, Rescaling, Rounding,
                             ScaleType, Scheme, SolutionStatus, TrainingMethod, WidthRule>;
TYPED_TEST_SUITE(EnumNames, Enums);

TYPED_TEST(EnumNames, LeadBackToTheValuesInTheirOrder) {
  const std::vector<std::string_view> names = AllNames<TypeParam>();
  ASSERT_GE(names.size(), 2U);
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(Parse<TypeParam>(names[i])), i);
    EXPECT_EQ(ToString(static_cast<TypeParam>(i)), names[i]);
  }
}

TYPED_TEST(EnumNames, AreListedWhereOneIsUnknown) {
  std::string all;
  for (const std::string_view name : AllNames<TypeParam>())
    all += std::string(all.empty() ? "" : ", ") + std::string(name);
  for (const char* text : {"no-such-name", "", "Linear"})
    EXPECT_THAT(MessageOf([&] { Parse<TypeParam>(text); }),
                testing::AllOf(testing::StartsWith("unknown "), testing::HasSubstr("'" + std::string(text) + "'"),
                               testing::EndsWith("expected one of " + all)));
}

}  // namespace
}  // namespace bitplan
