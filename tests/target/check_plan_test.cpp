#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "target/models.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PlanOfATarget : public ::testing::Test {
 protected:
  std::string Refusal(const Plan& plan, const Target& target) const {
    try {
      CheckPlan(plan, network, target);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  static LayerPlan& LayerOf(Plan& plan, const std::string& name) {
    return *std::find_if(plan.layers.begin(), plan.layers.end(),
                         [&](const LayerPlan& layer) { return layer.name == name; });
  }

  const Network network = ResNet20();
  const Target tensorrt = ReadTarget("tensorrt");
};

TEST_F(PlanOfATarget, RunsOnIt) {
  for (const std::string& name : TargetNames()) {
    const Target target = ReadTarget(name);
    EXPECT_EQ(Refusal(MakeTargetPlan(network, target), target), "") << name;
  }
}

TEST_F(PlanOfATarget, WithAWidthThatIsNotOfferedIsRefused) {
  Plan plan = MakeTargetPlan(network, tensorrt);
  LayerOf(plan, "layer2.1.conv1").weight.bits = 4;
  EXPECT_THAT(Refusal(plan, tensorrt), AllOf(HasSubstr("tensorrt"), HasSubstr("'layer2.1.conv1', weight"),
                                             HasSubstr("4 bits"), HasSubstr("offers 8 bits")));
  plan = MakeTargetPlan(network, tensorrt);
  LayerOf(plan, "linear").activation = LayerOf(plan, "linear").activation.WithBits(32);
  EXPECT_THAT(Refusal(plan, tensorrt), AllOf(HasSubstr("'linear', input"), HasSubstr("32 bits")));
}

TEST_F(PlanOfATarget, WithNumbersThatAreNotOfferedIsRefused) {
  Plan plan = MakeTargetPlan(network, tensorrt);
  LayerOf(plan, "conv1").activation.scheme = Scheme::Asymmetric;
  EXPECT_THAT(Refusal(plan, tensorrt),
              AllOf(HasSubstr("'conv1', input"), HasSubstr("asymmetric"), HasSubstr("offers symmetric")));
  const Target tvm = ReadTarget("tvm");
  plan = MakeTargetPlan(network, tvm);
  LayerOf(plan, "conv1").weight.granularity = Granularity::Channel;
  EXPECT_THAT(Refusal(plan, tvm), AllOf(HasSubstr("per channel"), HasSubstr("per tensor")));
  plan = MakeTargetPlan(network, tvm);
  LayerOf(plan, "conv1").weight.scale_type = ScaleType::Float32;
  EXPECT_THAT(Refusal(plan, tvm), AllOf(HasSubstr("'conv1', weight"), HasSubstr("with power-of-two scales")));
  plan = MakeTargetPlan(network, tensorrt);
  LayerOf(plan, "conv1").weight.type = NumberType::E4M3;
  EXPECT_THAT(Refusal(plan, tensorrt), AllOf(HasSubstr("e4m3"), HasSubstr("offers symmetric integer")));
}

TEST_F(PlanOfATarget, WithNumbersThatItsOwnIncludeRuns) {
  Plan plan = MakeTargetPlan(network, ReadTarget("tvm"));  // tensors, powers of two
  plan.operands = MakeTargetPlan(network, tensorrt).operands;
  EXPECT_EQ(Refusal(plan, tensorrt),
            "target tensorrt cannot run the plan: 'layer1.0.conv1' and 'add_0' read the same tensor, which it "
            "keeps on one grid, but the plan has two formats for it (8 and 8 bits)");
  for (OperandPlan& operand : plan.operands) operand.format = plan.layers.front().activation;
  EXPECT_EQ(Refusal(plan, tensorrt), "");
  plan = MakeTargetPlan(network, ReadTarget("academic"));  // symmetric tensors
  EXPECT_EQ(Refusal(plan, ReadTarget("acl")), "");         // asymmetric channels
  EXPECT_NE(Refusal(MakeTargetPlan(network, ReadTarget("acl")), ReadTarget("academic")), "");
}

TEST_F(PlanOfATarget, WithoutItsOperandsOrWithOthersIsRefused) {
  Plan plan = MakeTargetPlan(network, tensorrt);
  plan.operands.clear();
  EXPECT_THAT(Refusal(plan, tensorrt),
              AllOf(HasSubstr("operand 'add_0.1'"), HasSubstr("asks for float"), HasSubstr("8 bits")));
  plan = MakeTargetPlan(network, tensorrt);
  plan.operands.push_back({"add_2.0", plan.operands.front().format});
  EXPECT_THAT(Refusal(plan, tensorrt),
              AllOf(HasSubstr("operand 'add_2.0'"), HasSubstr("accumulator of layer1.2.conv2")));
  plan.operands.back().name = "add_99.0";
  EXPECT_THAT(Refusal(plan, tensorrt), HasSubstr("no operand 'add_99.0'"));
}

TEST_F(PlanOfATarget, WithTwoGridsForOneTensorIsRefused) {
  Target target = tensorrt;
  target.layers["conv2d"].input_bits = {8, 4};
  Plan plan = MakeTargetPlan(network, target);
  LayerOf(plan, "layer1.0.conv1").activation.bits = 4;
  EXPECT_THAT(Refusal(plan, target), AllOf(HasSubstr("'layer1.0.conv1' and 'add_0'"), HasSubstr("4 and 8 bits")));
}

TEST_F(PlanOfATarget, ThatQuantizesALayerItHasNoIntegersForIsRefused) {
  Target target = tensorrt;
  target.layers.erase("linear");
  const Plan plan = MakeTargetPlan(network, tensorrt);
  EXPECT_THAT(Refusal(plan, target),
              AllOf(HasSubstr("layer 'linear'"), HasSubstr("8 bits for a linear"), HasSubstr("float alone")));
  EXPECT_EQ(Refusal(MakeTargetPlan(network, target), target), "");
}

TEST_F(PlanOfATarget, PinsLayersToWhatIsOffered) {
  Target target = ReadTarget("academic");
  target.layers.erase("linear");
  const std::vector<Pin> pins = TargetPins(network, target);
  ASSERT_EQ(pins.size(), 20U);
  EXPECT_EQ(pins[0].weight_bits, std::vector<int>{8});  // the first layer
  EXPECT_EQ(pins[1].pattern, "layer1.0.conv1");
  EXPECT_EQ(pins[1].weight_bits, (std::vector<int>{8, 7, 6, 5, 4, 3, 2}));
  EXPECT_EQ(pins[19].weight_bits, std::vector<int>{32});
}

}  // namespace
}  // namespace bitplan::test
