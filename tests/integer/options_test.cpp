#include <gtest/gtest.h>

#include "bitplan/integer.h"
#include "quantize/networks.h"

namespace bitplan::integer {
namespace {

TEST(IntegerOptions, OutsideTheirRangesAreRefusedByName) {
  EXPECT_EQ(MessageOf([] { IntegerOptions{.accumulator_bits = 7}.Validate(); }),
            "accumulator bits: 7 given, expected 8 … 48");
  EXPECT_EQ(MessageOf([] { IntegerOptions{.accumulator_bits = 49}.Validate(); }),
            "accumulator bits: 49 given, expected 8 … 48");
  EXPECT_EQ(MessageOf([] { IntegerOptions{.multiplier_bits = 0}.Validate(); }),
            "multiplier bits: 0 given, expected 1 … 31");
  EXPECT_EQ(MessageOf([] { IntegerOptions{.multiplier_bits = 32}.Validate(); }),
            "multiplier bits: 32 given, expected 1 … 31");
  EXPECT_EQ(MessageOf([] { IntegerOptions{}.Validate(); }), "no error");
}

TEST(IntegerOptions, OverflowIsReadByName) {
  EXPECT_EQ(ParseOverflow("saturate"), Overflow::Saturate);
  EXPECT_EQ(ParseOverflow("wrap"), Overflow::Wrap);
  EXPECT_EQ(MessageOf([] { ParseOverflow("clip"); }), "unknown overflow 'clip'; expected one of saturate, wrap");
}

}  // namespace
}  // namespace bitplan::integer
