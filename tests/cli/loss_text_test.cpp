#include "loss_text.h"

#include <gtest/gtest.h>

namespace bitplan::cli {
namespace {

TEST(LossText, HasFourDecimals) {
  EXPECT_EQ(LossText(0), "0.0000");
  EXPECT_EQ(LossText(0.01), "0.0100");
  EXPECT_EQ(LossText(0.41634), "0.4163");
  EXPECT_EQ(LossText(-12.3456789), "-12.3457");
  EXPECT_EQ(LossText(999999), "999999.0000");
}

TEST(LossText, OfSmallLossesShowsThreeDigits) {
  EXPECT_EQ(LossText(0.0099961), "0.01");
  EXPECT_EQ(LossText(0.0012345), "0.00123");
  EXPECT_EQ(LossText(0.000034567), "3.46e-05");
  EXPECT_EQ(LossText(-1.5e-9), "-1.5e-09");
}

TEST(LossText, OfLargeLossesShowsFourDigits) { EXPECT_EQ(LossText(12345678), "1.235e+07"); }

}  // namespace
}  // namespace bitplan::cli
