// What training hands out is what it trained: the float file under the learned plan, and the quantized network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "train/training_case.h"
#include "trained_file.h"
#include "trained_network.h"

namespace bitplan::train {
namespace {

/// A network after its quantizers saw the data.
TrainedNetwork Ready(const Plan& plan, const TrainOptions& options) {
  TrainedNetwork network(Unfolded(NormedModel()), plan, options);
  network.Observe(AllInputs(SmallData()));
  network.Finish();
  return network;
}

/// Moves everything that is learned a little, as steps would.
void Disturb(TrainedNetwork& network) {
  const at::NoGradGuard no_grad;
  torch::manual_seed(5);
  for (const TrainedTensor& tensor : network.tensors())
    if (tensor.learned) at::Tensor(tensor.value).mul_(1 + 0.1 * torch::rand_like(tensor.value));
  network.AfterStep();
}

Plan Typed(NumberType type, int bits) {
  Plan plan = PlanOf(NormedModel(), 4, 4);
  for (LayerPlan& layer : plan.layers) {
    layer.weight.type = type;
    layer.weight.bits = bits;
  }
  return plan;
}

class Deployed : public testing::TestWithParam<TrainingMethod> {};

TEST_P(Deployed, ComputesWhatTheTrainedNetworkDoes) {
  TrainOptions options;
  options.method = GetParam();
  options.batch_norm = BatchNormFolding::Smoothed;  // suits them all
  const bool binary = SuitsWeights(GetParam(), Typed(NumberType::Binary, 1).layers[0].weight);
  const bool ternary = SuitsWeights(GetParam(), Typed(NumberType::Ternary, 2).layers[0].weight);
  const Plan plan = binary    ? Typed(NumberType::Binary, 1)
                    : ternary ? Typed(NumberType::Ternary, 2)
                              : PlanOf(NormedModel(), 4, 4);
  const Dataset data = SmallData();
  TrainedNetwork network = Ready(plan, options);
  Disturb(network);
  const at::NoGradGuard no_grad;
  const at::Tensor trained = network.Forward(AllInputs(data), false);
  const TrainResult result = Deploy(network, data);
  EXPECT_LE((result.quantized.Forward(AllInputs(data)) - trained).abs().max().item<float>(), 1e-5F)
      << ToString(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Methods, Deployed,
                         testing::Values(TrainingMethod::Fixed, TrainingMethod::MovingAverage, TrainingMethod::DoReFa,
                                         TrainingMethod::Pact, TrainingMethod::PactChannel, TrainingMethod::Lsq,
                                         TrainingMethod::LsqPlus, TrainingMethod::Qil, TrainingMethod::BinaryConnect,
                                         TrainingMethod::BinaryConnectStochastic, TrainingMethod::Bwn,
                                         TrainingMethod::XnorNet, TrainingMethod::Twn, TrainingMethod::Ttq),
                         [](const auto& test) {
                           std::string name(ToString(test.param));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Deploy, KeepsTheLayersNamesAndTheirOrder) {
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), SmallOptions());
  const Network before = Network::Load(NormedModel());
  ASSERT_EQ(result.network.layers().size(), before.layers().size());
  for (std::size_t i = 0; i < before.layers().size(); ++i) {
    EXPECT_EQ(result.network.layers()[i].name, before.layers()[i].name);
    EXPECT_EQ(result.network.Weight(result.network.layers()[i]).sizes(), before.Weight(before.layers()[i]).sizes());
  }
  EXPECT_EQ(result.plan.model_sha256, result.network.sha256());
}

TEST(Deploy, HandsOutAPlanAndAFileThatNeedNoCalibration) {
  const TemporaryFolder folder;
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 3), SmallData(), SmallOptions());
  folder.Put("model.pt", result.model_file);
  folder.Put("plan.json", ToJson(result.plan));
  const Plan plan = ReadPlan(folder / "plan.json");
  const Network network = Network::Load(folder / "model.pt");
  const Dataset other =
      Dataset::FromTensors({torch::full({2, 3, 6, 6}, 100.0F)}, {});  // ranges found on it would be useless
  const auto quantized = QuantizedNetwork::Create(network, plan, other);
  const std::vector<at::Tensor> inputs = AllInputs(SmallData());
  EXPECT_TRUE(quantized.Forward(inputs).equal(result.quantized.Forward(inputs)));
  for (const LayerPlan& layer : plan.layers) {
    EXPECT_TRUE(layer.learned_weight.has_value()) << layer.name;
    EXPECT_TRUE(layer.learned_input.has_value()) << layer.name;
  }
}

TEST(Deploy, GivesAFileThatCanBeTrainedFurther) {
  const TemporaryFolder folder;
  const TrainResult first = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), SmallOptions());
  const auto file = folder.Put("model.pt", first.model_file);
  const TrainResult second = Train(Unfolded(file), first.plan, SmallData(), SmallOptions());
  EXPECT_EQ(second.curve.size(), first.curve.size());
  EXPECT_NE(second.model_file, first.model_file);
}

TEST(Deploy, TrainsOperandsAsWell) {
  NetworkOptions options;
  options.operand_sites = true;
  const Network network = Network::Load(NormedModel(), options);
  Plan plan = PlanOf(NormedModel(), 8, 8);
  for (const Site& site : network.sites())
    if (site.kind == Site::Kind::Operand) plan.operands.push_back({site.name, DefaultActivationFormat().WithBits(4)});
  ASSERT_FALSE(plan.operands.empty());
  const Dataset data = SmallData();
  TrainedNetwork trained(Unfolded(NormedModel(), options), plan, {});
  trained.Observe(AllInputs(data));
  trained.Finish();
  const TrainResult result = Deploy(trained, data);
  for (const OperandPlan& operand : result.plan.operands) EXPECT_TRUE(operand.learned.has_value()) << operand.name;
  const at::NoGradGuard no_grad;
  EXPECT_LE(
      (result.quantized.Forward(AllInputs(data)) - trained.Forward(AllInputs(data), false)).abs().max().item<float>(),
      1e-5F);
}

TEST(Train, LeavesTheNetworkThatItIsGivenAsItIs) {
  const Network network = Unfolded(NormedModel());
  std::vector<at::Tensor> before;
  for (const at::Tensor& value : network.ParameterValues()) before.push_back(value.clone());
  const Plan plan = PlanOf(NormedModel(), 4, 4);
  const TrainResult first = Train(network, plan, SmallData(), SmallOptions());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(network.parameters()[i].value.equal(before[i])) << network.parameters()[i].name;
  EXPECT_EQ(Train(network, plan, SmallData(), SmallOptions()).model_file, first.model_file);
}

TEST(Train, GivesTheSameForANetworkThatIsFoldedWhereNormsStayFolded) {
  TrainOptions options = SmallOptions();
  options.batch_norm = BatchNormFolding::Folded;
  const Plan plan = PlanOf(NormedModel(), 4, 4);
  const TrainResult unfolded = Train(Unfolded(NormedModel()), plan, SmallData(), options);
  const TrainResult folded = Train(Network::Load(NormedModel()), plan, SmallData(), options);
  EXPECT_EQ(folded.model_file, unfolded.model_file);
  EXPECT_EQ(ToJson(folded.plan), ToJson(unfolded.plan));
}

TEST(Train, LeavesFrozenLayersAsTheyAre) {
  TrainOptions options = SmallOptions();
  options.held_out = 0;
  options.freeze = {"block.*"};
  options.batch_norm = BatchNormFolding::Rescaled;
  const Network before = Network::Load(NormedModel());
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), options);
  for (std::size_t i = 0; i < before.layers().size(); ++i) {
    const bool frozen = before.layers()[i].name == "block.0";
    const at::Tensor difference =
        (result.network.Weight(result.network.layers()[i]) - before.Weight(before.layers()[i])).abs().max();
    if (frozen)
      EXPECT_LE(difference.item<float>(), 1e-6F);  // folded in another order
    else
      EXPECT_GT(difference.item<float>(), 1e-3F) << before.layers()[i].name;
  }
}

TEST(Train, KeepsTheEpochWithTheLeastHeldOutLoss) {
  TrainOptions options = SmallOptions();
  options.learning_rate = 2;  // too high: it gets worse
  options.epochs = 4;
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), options);
  const auto least =
      std::min_element(result.curve.begin(), result.curve.end(),
                       [](const TrainEpoch& a, const TrainEpoch& b) { return a.held_out_loss < b.held_out_loss; });
  EXPECT_EQ(result.best_epoch, least->epoch);
  EXPECT_NE(least->held_out_loss, result.curve.back().held_out_loss);
}

/// The plan with weights that the method suits: of 4 bits, or binary, or ternary ones.
Plan PlanSuiting(TrainingMethod method) {
  Plan plan = PlanOf(NormedModel(), 4, 4);
  for (LayerPlan& layer : plan.layers)
    for (const NumberType type : {NumberType::Integer, NumberType::Binary, NumberType::Ternary}) {
      if (SuitsWeights(method, layer.weight)) break;
      layer.weight = {.bits = type == NumberType::Binary ? 1 : 2, .type = type};
    }
  return plan;
}

TEST(Train, ThatDivergesIsAResultWhateverIsTrained) {
  const auto diverges = [](TrainingMethod method, BatchNormFolding batch_norm) {
    SCOPED_TRACE(ToString(method));
    TrainOptions options = SmallOptions();
    options.epochs = 1;
    options.learning_rate = 1e30;
    options.method = method;
    options.batch_norm = batch_norm;
    const TrainResult result = Train(Unfolded(NormedModel()), PlanSuiting(method), SmallData(), options);
    EXPECT_TRUE(result.quantized.Forward(AllInputs(SmallData())).isfinite().all().item<bool>());
    return result.diverged.has_value();
  };
  int diverged = 0;
  for (const TrainingMethod method : TrainingMethods())
    EXPECT_NO_THROW(diverged += diverges(method, BatchNormFolding::Folded)) << ToString(method);
  for (const BatchNormFolding folding : {BatchNormFolding::Frozen, BatchNormFolding::TwoConvolutions,
                                         BatchNormFolding::Smoothed, BatchNormFolding::Rescaled})
    EXPECT_NO_THROW(diverged += diverges(TrainingMethod::Lsq, folding)) << ToString(folding);
  EXPECT_GT(diverged, 4);
}

TEST(Train, StopsWhereItDivergesAndKeepsTheLastGoodState) {
  TrainOptions options = SmallOptions();
  options.learning_rate = 1e30;
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 4, 4), SmallData(), options);
  ASSERT_TRUE(result.diverged.has_value());
  EXPECT_EQ(result.diverged->epoch, 1);
  EXPECT_GE(result.diverged->step, 2);
  EXPECT_THAT(result.diverged->what,
              testing::AnyOf(testing::HasSubstr("the loss is"), testing::HasSubstr("is not finite")));
  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_TRUE(result.quantized.Forward(AllInputs(SmallData())).isfinite().all().item<bool>());
}

TEST(Train, NeedsNoLabelsToDistil) {
  TrainOptions options = SmallOptions();
  options.distillation = 1;
  const Dataset data = Dataset::FromTensors(AllInputs(SmallData()), {});
  const TrainResult result = Train(Unfolded(NormedModel()), PlanOf(NormedModel(), 3, 3), data, options);
  EXPECT_TRUE(std::isnan(result.curve.back().accuracy));
  EXPECT_LT(result.curve.back().loss, result.curve.front().held_out_loss);
}

}  // namespace
}  // namespace bitplan::train
