#include "training_methods/bit_stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "training_methods/formats.h"

namespace bitplan::training_methods {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int> WeightBits(const Plan& plan) {
  std::vector<int> bits;
  for (const LayerPlan& layer : plan.layers) bits.push_back(layer.weight.bits);
  return bits;
}

Plan MixedPlan() {
  Plan plan;
  plan.layers = {{"first", WeightFormat(8), InputFormat(8)},
                 {"second", WeightFormat(2, Granularity::Channel), InputFormat(4)},
                 {"third", WeightFormat(4), InputFormat(32)}};
  plan.layers[2].activation.type = NumberType::Float32;
  plan.layers[1].learned_weight = LearnedGrid{{1}, {}, {}, {}};
  plan.operands = {{"add_1.0", InputFormat(3)}};
  return plan;
}

TEST(BitStages, LowerAllTowardsThePlan) {
  const std::vector<Plan> plans = PlansInStages(MixedPlan(), {8, 6, 4});
  ASSERT_EQ(plans.size(), 4U);
  EXPECT_THAT(WeightBits(plans[0]), ElementsAre(8, 8, 8));
  EXPECT_THAT(WeightBits(plans[1]), ElementsAre(8, 6, 6));
  EXPECT_THAT(WeightBits(plans[2]), ElementsAre(8, 4, 4));
  EXPECT_THAT(WeightBits(plans[3]), ElementsAre(8, 2, 4));
  EXPECT_EQ(plans[1].layers[1].activation.bits, 6);
  EXPECT_EQ(plans[1].layers[2].activation, MixedPlan().layers[2].activation);
  EXPECT_EQ(plans[2].operands[0].format.bits, 4);
  EXPECT_EQ(plans[1].layers[1].weight.granularity, Granularity::Channel);
  EXPECT_FALSE(plans[2].layers[1].learned_weight);
  EXPECT_TRUE(plans[3].layers[1].learned_weight);
}

TEST(BitStages, LeaveOutWhatRepeatsAStage) {
  Plan plan = MixedPlan();
  plan.layers = {{"only", WeightFormat(6), InputFormat(7)}};
  plan.operands = {};
  const std::vector<Plan> plans = PlansInStages(plan, {16, 8, 6, 4});
  ASSERT_EQ(plans.size(), 3U);
  EXPECT_THAT(WeightBits(plans[0]), ElementsAre(16));
  EXPECT_THAT(WeightBits(plans[1]), ElementsAre(8));
  EXPECT_THAT(WeightBits(plans[2]), ElementsAre(6));
  EXPECT_EQ(PlansInStages(plan, {}).size(), 1U);
}

TEST(BitStages, OfOtherTypesAreIntegers) {
  Format powers = WeightFormat(3, Granularity::Channel, NumberType::PowerOfTwo);
  powers.scale_type = ScaleType::PowerOfTwo;
  for (const Format& planned : {WeightFormat(2, Granularity::Channel, NumberType::Ternary),
                                WeightFormat(1, Granularity::Channel, NumberType::Binary), powers}) {
    const Format stage = FormatAtStage(planned, 4);
    stage.Validate();
    EXPECT_EQ(stage.type, NumberType::Integer);
    EXPECT_EQ(stage.bits, 4);
    EXPECT_EQ(stage.granularity, planned.granularity);
  }
  EXPECT_EQ(FormatAtStage(WeightFormat(4, Granularity::Tensor, NumberType::Nf4), 4).type, NumberType::Nf4);
}

TEST(BitStages, ShareTheEpochsAlike) {
  std::vector<std::size_t> stages;
  for (int epoch = 0; epoch < 7; ++epoch) stages.push_back(StageAt(epoch, 7, 3));
  EXPECT_THAT(stages, ElementsAre(0, 0, 0, 1, 1, 2, 2));
}

TEST(BitStages, RefuseWidthsThatDoNotDescendAndTooFewEpochs) {
  for (const std::vector<int>& bits : {std::vector<int>{4, 6}, {6, 6}, {9}, {32}, {1}}) {
    try {
      PlansInStages(MixedPlan(), bits);
      ADD_FAILURE() << bits.front();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("descending"));
    }
  }
  EXPECT_THROW(StageAt(0, 2, 3), Error);
}

}  // namespace
}  // namespace bitplan::training_methods
