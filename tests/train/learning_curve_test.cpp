#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "bitplan/error.h"
#include "bitplan/train.h"

namespace bitplan::train {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const std::vector<TrainEpoch> kCurve = {{0, kNaN, kNaN, kNaN, 1.5, 0.5}, {1, 0.1, 1.25, 0.625, 1.0, 0.75}};

TEST(TrainingCurve, IsATableOfEpochs) {
  EXPECT_EQ(ToCsv(kCurve),
            "epoch,learning_rate,loss,accuracy,held_out_loss,held_out_accuracy\n0,nan,nan,nan,1.5,0.5\n1,0.1,1.25,0."
            "625,1,0.75\n");
}

TEST(TrainingCurve, IsDrawnAsLossAndAccuracy) {
  EXPECT_THAT(ToSvg(kCurve),
              AllOf(StartsWith("<svg"), HasSubstr("loss"), HasSubstr("accuracy"), HasSubstr("held out")));
}

TEST(TrainingCurve, IsDrawnWithoutWhatWasNotMeasured) {
  const std::vector<TrainEpoch> unlabeled = {{0, kNaN, kNaN, kNaN, kNaN, kNaN}, {1, 0.1, 1.25, kNaN, kNaN, kNaN}};
  EXPECT_THAT(ToSvg(unlabeled), AllOf(HasSubstr("training"), Not(HasSubstr("held out")), Not(HasSubstr("accuracy"))));
}

TEST(TrainingCurve, OfNothingCannotBeDrawn) {
  EXPECT_THROW(ToSvg(std::vector<TrainEpoch>{}), Error);
  EXPECT_THROW(ToSvg(std::vector<TrainEpoch>{{0, kNaN, kNaN, kNaN, kNaN, kNaN}}), Error);
}

}  // namespace
}  // namespace bitplan::train
