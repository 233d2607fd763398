#include "text/enum_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitplan::text {
namespace {

enum class Fruit { Apple, Pear, Plum };

constexpr Names<Fruit, 3> kWhole = {{{Fruit::Apple, "apple"}, {Fruit::Pear, "pear"}, {Fruit::Plum, "plum"}}};
constexpr Names<Fruit, 2> kWithoutTheLast = {{{Fruit::Apple, "apple"}, {Fruit::Pear, "pear"}}};
constexpr Names<Fruit, 2> kWithoutOne = {{{Fruit::Apple, "apple"}, {Fruit::Plum, "plum"}}};

TEST(EnumNames, AreWholeOrDoNotCompile) {
  EXPECT_TRUE(IsWhole<kWhole>());
  EXPECT_FALSE(IsWhole<kWithoutTheLast>());
  EXPECT_FALSE(IsWhole<kWithoutOne>());
}

TEST(EnumNames, GoToTextAndBack) {
  for (const auto& [fruit, name] : kWhole) {
    EXPECT_EQ(NameOf(kWhole, fruit), name);
    EXPECT_EQ(ValueOf(kWhole, "fruit", name), fruit);
  }
  EXPECT_THAT(AllOf(kWhole), testing::ElementsAre("apple", "pear", "plum"));
}

}  // namespace
}  // namespace bitplan::text
