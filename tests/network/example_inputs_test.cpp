#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ExampleInputs, HaveABatchAxisOfOne) {
  const std::vector<at::Tensor> inputs = ExampleInputs({"3,32,32", "16:int64", "7", "2,5:float32"}, "cpu");
  ASSERT_EQ(inputs.size(), 4u);
  EXPECT_THAT(inputs[0].sizes().vec(), ElementsAre(1, 3, 32, 32));
  EXPECT_EQ(inputs[0].scalar_type(), at::kFloat);
  EXPECT_GT(inputs[0].std().item<float>(), 0.5F);
  EXPECT_THAT(inputs[1].sizes().vec(), ElementsAre(1, 16));
  EXPECT_TRUE(at::equal(inputs[1], at::zeros({1, 16}, at::kLong)));
  EXPECT_THAT(inputs[2].sizes().vec(), ElementsAre(1, 7));
  EXPECT_THAT(inputs[3].sizes().vec(), ElementsAre(1, 2, 5));
}

TEST(ExampleInputs, AreTheSameEachTime) {
  EXPECT_TRUE(at::equal(ExampleInputs({"4,4"}, "cpu")[0], ExampleInputs({"4,4"}, "cpu")[0]));
}

TEST(ExampleInputs, NameAShapeThatCannotBeRead) {
  for (const std::string shape : {",", "3,", ",3", "a", "-1", "0", "3,0", "3;3", "3,32,32:int32", "3,32,32:", " 3",
                                  "3 ", "3.5", "3,,3", "1e3", "99999999999999999999", "0x10", "3,32:int64:int64"}) {
    const std::string message = MessageOf([&] { ExampleInputs({"3,8,8", shape}, "cpu"); });
    EXPECT_TRUE(IsOneLine(message)) << "'" << shape << "': " << message;
    EXPECT_THAT(message, HasSubstr("'" + shape + "'"));
  }
}

TEST(ExampleInputs, TooLargeForAnyMemoryAreAnError) {
  for (const std::string shape :
       {"2147483647,2147483647", "2147483647,2147483647,2147483647", "100000,100000,100000:int64"}) {
    const std::string message = MessageOf([&] { ExampleInputs({shape}, "cpu"); });
    EXPECT_TRUE(IsOneLine(message)) << shape << ": " << message;
  }
}

TEST(ExampleInputs, NameADeviceThatCannotBeUsed) {
  const std::string message = MessageOf([] { ExampleInputs({"3"}, "gpu"); });
  EXPECT_TRUE(IsOneLine(message)) << message;
  EXPECT_THAT(message, HasSubstr("gpu"));
}

}  // namespace
}  // namespace bitplan::test
