#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "message_of.h"
#include "train/training_case.h"

namespace bitplan::train {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string TrainingWith(const std::function<void(TrainOptions&)>& change) {
  TrainOptions options = SmallOptions();
  options.epochs = 1;
  change(options);
  return MessageOf([&] { Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), options); });
}

TEST(Train, RefusesAModelThatWasSavedFrozen) {
  const auto frozen = TrainDir() / "models" / "frozen.pt";
  EXPECT_THAT(MessageOf([&] { Train(Unfolded(frozen), PlanOf(frozen, 4, 4), SmallData(), SmallOptions()); }),
              AllOf(HasSubstr("frozen.pt"), HasSubstr("no trainable parameters"), HasSubstr("torch.jit.freeze"),
                    HasSubstr("torch.jit.script(model)")));
}

TEST(Train, NamesTheOptionThatIsOutOfItsRange) {
  EXPECT_THAT(TrainingWith([](auto& o) { o.epochs = 0; }), HasSubstr("epochs is 0"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.batch_size = 0; }), HasSubstr("batch_size is 0"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.learning_rate = 0; }), HasSubstr("learning_rate is 0"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.momentum = 1; }), HasSubstr("momentum is 1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.weight_decay = -1; }), HasSubstr("weight_decay is -1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.held_out = 1; }), HasSubstr("held_out is 1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.distillation = 2; }), HasSubstr("distillation is 2"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.temperature = 0; }), HasSubstr("temperature is 0"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.clip_norm = -1; }), HasSubstr("clip_norm is -1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.crop_padding = -1; }), HasSubstr("crop_padding is -1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.warm_up_steps = -1; }), HasSubstr("warm_up_steps is -1"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.schedule = LearningRateSchedule::Step; }), HasSubstr("step_epochs"));
  EXPECT_THAT(TrainingWith([](auto& o) { o.step_epochs = {1}; }), HasSubstr("schedule is not step"));
  EXPECT_THAT(TrainingWith([](auto& o) {
                o.schedule = LearningRateSchedule::Step;
                o.step_epochs = {2, 2};
              }),
              HasSubstr("must rise"));
  EXPECT_EQ(TrainingWith([](auto&) {}), "no error");
}

TEST(Train, RefusesPatternsThatNameNoLayer) {
  EXPECT_THAT(TrainingWith([](auto& o) { o.freeze = {"no.such.layer"}; }),
              HasSubstr("no layer is called 'no.such.layer'"));
}

TEST(Train, RefusesRescaledNormsWhereLevelsDoNotFollowTheWeight) {
  Plan plan = PlanOf(NormedModel(), 4, 4);
  for (LayerPlan& layer : plan.layers) {
    layer.weight.type = NumberType::Ternary;
    layer.weight.bits = 2;
  }
  TrainOptions options = SmallOptions();
  options.epochs = 1;
  options.method = TrainingMethod::Ttq;
  options.batch_norm = BatchNormFolding::Rescaled;
  const auto train = [&] { return Train(Unfolded(NormedModel()), plan, SmallData(), options); };
  EXPECT_THAT(MessageOf(train), AllOf(HasSubstr("ttq"), HasSubstr("choose smoothed or frozen")));
  options.batch_norm = BatchNormFolding::Smoothed;
  EXPECT_EQ(MessageOf(train), "no error");
  options.batch_norm = BatchNormFolding::Rescaled;
  options.method = TrainingMethod::Twn;
  EXPECT_EQ(MessageOf(train), "no error");
}

TEST(Train, RefusesAMethodThatSuitsNoWeight) {
  EXPECT_THAT(TrainingWith([](auto& o) { o.method = TrainingMethod::Ttq; }),
              AllOf(HasSubstr("ttq"), HasSubstr("suits no weight"), HasSubstr("integer")));
}

TEST(Train, RefusesDataThatDoesNotServe) {
  const Plan plan = PlanOf(NormedModel(), 4, 4);
  const Dataset data = SmallData();
  const auto train = [&](const Dataset& samples) {
    return MessageOf([&] { Train(Unfolded(NormedModel()), plan, samples, SmallOptions()); });
  };
  EXPECT_THAT(train(Dataset::FromTensors(AllInputs(data), {})),
              AllOf(HasSubstr("no labels"), HasSubstr("distillation 1")));
  EXPECT_THAT(train(data.First(2)), HasSubstr("at least 2 needed"));
  EXPECT_THAT(train(Dataset::FromTensors({torch::zeros({8, 5})}, torch::zeros({8}, torch::kLong))),
              HasSubstr("crop_padding"));
  EXPECT_THAT(train(Dataset::FromTensors(AllInputs(data), torch::full({16}, 3, torch::kLong))), HasSubstr("label 3"));
}

TEST(Train, TakesBatchNormUnfoldedOrToStayFolded) {
  const Network folded = Network::Load(NormedModel());
  TrainOptions options = SmallOptions();
  options.epochs = 1;
  const auto train = [&](bool fold_in_plan) {
    return MessageOf([&] { Train(folded, PlanOf(NormedModel(), 4, 4, fold_in_plan), SmallData(), options); });
  };
  for (const auto folding : {BatchNormFolding::Frozen, BatchNormFolding::Rescaled, BatchNormFolding::Smoothed,
                             BatchNormFolding::TwoConvolutions}) {
    options.batch_norm = folding;
    EXPECT_THAT(train(true),
                AllOf(HasSubstr("normed.pt"), HasSubstr(std::string("trained as ") + std::string(ToString(folding))),
                      HasSubstr("fold_batch_norm off")));
  }
  EXPECT_THAT(train(false), AllOf(HasSubstr("kept, as the plan has it"), HasSubstr("fold_batch_norm off")));
  options.batch_norm = BatchNormFolding::Folded;
  EXPECT_EQ(train(true), "no error");
  options.widen = 2;
  EXPECT_THAT(train(true), AllOf(HasSubstr("widened"), HasSubstr("fold_batch_norm off")));
}

TEST(Train, RefusesOperandsThatTheNetworkWasNotLoadedWith) {
  Plan plan = PlanOf(NormedModel(), 8, 8);
  plan.operands.push_back({"add_0.0", DefaultActivationFormat().WithBits(4)});
  EXPECT_THAT(MessageOf([&] { Train(Unfolded(NormedModel()), plan, SmallData(), SmallOptions()); }),
              HasSubstr("operand_sites"));
}

TEST(Train, RefusesAPlanOfAnotherModel) {
  Plan plan = PlanOf(NormedModel(), 4, 4);
  plan.model_sha256 = "0123456789abcdef";
  EXPECT_THAT(MessageOf([&] { Train(Unfolded(NormedModel()), plan, SmallData(), SmallOptions()); }),
              HasSubstr("another model's"));
}

}  // namespace
}  // namespace bitplan::train
