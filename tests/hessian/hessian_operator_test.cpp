#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bitplan/curvature.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kFloatTolerance = 2e-5;  // of products in float32 against float64

/// One dense Hessian of reference.json: model and place in its list.
struct Entry {
  std::string model;
  std::size_t index = 0;
};

std::vector<Entry> AllEntries() {
  std::vector<Entry> entries;
  for (const auto& [model, value] : Reference().items()) {
    if (!value.contains("hessians")) continue;
    for (std::size_t i = 0; i < value.at("hessians").size(); ++i) entries.push_back({model, i});
  }
  return entries;
}

class DenseHessian : public ::testing::TestWithParam<Entry> {
 protected:
  const nlohmann::json& entry() const { return Reference().at(GetParam().model).at("hessians").at(GetParam().index); }

  HessianOperator MakeOperator(std::int64_t batch_size) const {
    const LossFunction loss = LoadLoss(GetParam().model, batch_size, ParseLoss(entry().at("loss").get<std::string>()),
                                       entry().at("fold_batch_norm"));
    return {loss, MakeVariables(loss.network(), entry().at("layers"), entry().at("kind") == "activations")};
  }

  at::Tensor Expected() const { return FullMatrix(entry().at("upper_triangle").get<std::vector<double>>()); }
};

TEST_P(DenseHessian, EqualsPyTorchInDoublePrecision) {
  EXPECT_LT(RelativeDifference(DenseMatrix(MakeOperator(100)), Expected()), kFloatTolerance);
}

TEST_P(DenseHessian, IsTheSameFromSeveralUnequalBatches) {
  const HessianOperator hessian = MakeOperator(2);
  const at::Tensor expected = Expected();
  ASSERT_EQ(hessian.rows(), expected.size(0));
  const at::Tensor v = torch::linspace(-1, 1.5, expected.size(0), torch::kDouble), product = torch::empty_like(v);
  const bool several_visits = GetParam().model == "SharedWeight" && entry().at("kind") == "activations";
  if (several_visits) GTEST_SKIP() << "inputs of several visits are laid out batch by batch";
  hessian.perform_op(v.data_ptr<double>(), product.data_ptr<double>());
  EXPECT_LT(RelativeDifference(product, expected.matmul(v)), kFloatTolerance);
}

/// Copies share one graph; see HessianOperator.
TEST_P(DenseHessian, IsTheSameToTheLastBitFromCopiesOnSeveralThreads) {
  const HessianOperator hessian = MakeOperator(100);
  const auto product = [](const HessianOperator& of, double first) {
    const at::Tensor v = torch::linspace(first, 1.5, of.rows(), torch::kDouble), result = torch::empty_like(v);
    of.perform_op(v.const_data_ptr<double>(), result.mutable_data_ptr<double>());
    return result;
  };
  const std::vector<double> firsts{-1, 0.25, -2, 0.5};
  std::vector<at::Tensor> alone, together(firsts.size());
  for (const double first : firsts) alone.push_back(product(hessian, first));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < firsts.size(); ++i)
    threads.emplace_back([&, i, copy = hessian] {
      for (int time = 0; time < 3; ++time) together[i] = product(copy, firsts[i]);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < firsts.size(); ++i) EXPECT_TRUE(torch::equal(together[i], alone[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(Models, DenseHessian, ::testing::ValuesIn(AllEntries()),
                         [](const auto& test) { return test.param.model + std::to_string(test.param.index); });

TEST(HessianOperator, OfInputsVisitedSeveralTimesIsOrderedByBatchThenVisit) {
  const at::Tensor one_batch =
      ReferenceHessian("SharedWeight", "activations", {"fc.weight"});  // [visit, sample, element]
  const LossFunction loss = LoadLoss("SharedWeight", 2);
  const HessianOperator hessian(loss, MakeVariables(loss.network(), {"fc.weight"}, true));
  const at::Tensor order =
      torch::arange(48).view({3, 2, 2, 4}).permute({1, 0, 2, 3}).flatten();  // [batch, visit, sample, element]
  EXPECT_LT(RelativeDifference(DenseMatrix(hessian), one_batch.index({order}).index_select(1, order)), kFloatTolerance);
}

TEST(HessianOperator, MatchesFiniteDifferencesOfTheGradient) {
  const LossFunction loss = LoadLoss("TanhMlp");
  const Network& network = loss.network();
  const auto weight = static_cast<std::size_t>(network.layers()[0].weight);
  const at::Tensor v = torch::linspace(-1, 1, network.parameters()[weight].value.numel(), torch::kDouble);
  const auto gradient_at = [&](double step) {
    std::vector<at::Tensor> parameters = network.ParameterValues();
    parameters[weight] = (parameters[weight] + step * v.view_as(parameters[weight]).to(torch::kFloat)).requires_grad_();
    return torch::autograd::grad({loss(0, parameters)}, {parameters[weight]})[0].to(torch::kDouble).flatten();
  };
  const at::Tensor expected = (gradient_at(1e-2) - gradient_at(-1e-2)) / 2e-2;
  const at::Tensor product = torch::empty_like(v);
  HessianOperator(loss, {.layers = {0}}).perform_op(v.data_ptr<double>(), product.data_ptr<double>());
  EXPECT_LT(RelativeDifference(product, expected), 5e-3);
}

TEST(HessianOperator, LeavesTheNetworkAndEarlierOperatorsAlone) {
  const LossFunction loss = LoadLoss("TanhMlp");
  const HessianOperator first(loss, {.layers = {0}});
  const at::Tensor before = DenseMatrix(first);
  DenseMatrix(HessianOperator(loss, {.layers = {0, 1}}));
  EXPECT_TRUE(torch::equal(DenseMatrix(first), before));
  for (const Parameter& parameter : loss.network().parameters()) EXPECT_FALSE(parameter.value.requires_grad());
}

TEST(HessianOperator, WorksWhereGradientsAreSwitchedOff) {
  const torch::NoGradGuard no_gradient;
  const LossFunction loss = LoadLoss("TanhMlp");
  const at::Tensor expected = ReferenceHessian("TanhMlp", "weights", {"fc1.weight"});
  EXPECT_LT(RelativeDifference(DenseMatrix({loss, {.layers = {0}}}), expected), kFloatTolerance);
}

TEST(HessianOperator, IsZeroInAWeightThatIsNeverRead) {
  const LossFunction loss = LoadLoss("DeadBranch");
  const HessianOperator hessian(loss, MakeVariables(loss.network(), {"never.weight"}));
  EXPECT_EQ(hessian.rows(), 12);
  EXPECT_EQ(DenseMatrix(hessian).abs().max().item<double>(), 0);
  const HessianOperator joint(loss, MakeVariables(loss.network(), {"never.weight", "fc.weight"}));
  const at::Tensor expected = ReferenceHessian("DeadBranch", "weights", {"fc.weight"});
  EXPECT_LT(RelativeDifference(DenseMatrix(joint).slice(0, 12).slice(1, 12), expected), kFloatTolerance);
  EXPECT_EQ(DenseMatrix(joint).slice(0, 0, 12).abs().max().item<double>(), 0);
}

TEST(HessianOperator, HasNoVariableInAnInputThatIsNeverRead) {
  const LossFunction loss = LoadLoss("DeadBranch");
  const HessianOperator hessian(loss, MakeVariables(loss.network(), {"never.weight"}, true));
  EXPECT_EQ(hessian.rows(), 0);
  EXPECT_TRUE(TopEigenpairs(hessian, {}).values.empty());
}

TEST(HessianOperator, NamesTheLayerBehindAnOperatorWithoutSecondDerivatives) {
  const Network network = ScriptedNetwork(
      "def forward(self, x):\n  y = torch.linear(x, self.weight)\n  return torch.cdist(y, y + 1.0, 3.0)\n",
      torch::randn({3, 3}));
  const LossFunction loss(network, Dataset::FromTensors({torch::randn({4, 3})}, {}), Loss::Auto, 4);
  const HessianOperator hessian(loss, {.layers = {0}});
  const std::vector<double> x(9, 1.0);
  std::vector<double> y(9);
  EXPECT_THAT(
      MessageOf([&] { hessian.perform_op(x.data(), y.data()); }),
      AllOf(HasSubstr("'" + network.layers()[0].name + "'"), HasSubstr("_cdist_backward"), HasSubstr("weight-error")));
}

TEST(HessianOperator, NamesWhatIsWrongWithItsVariables) {
  const LossFunction loss = LoadLoss("TanhMlp");
  EXPECT_THAT(MessageOf([&] { HessianOperator(loss, {}); }), HasSubstr("at least one layer"));
  EXPECT_THAT(MessageOf([&] { HessianOperator(loss, {.layers = {2}}); }), HasSubstr("layer 2"));
  EXPECT_THAT(MessageOf([&] { HessianOperator(loss, {.layers = {-1}}); }), HasSubstr("layer -1"));
  EXPECT_THAT(MessageOf([&] { HessianOperator(loss, {.layers = {0, 0}}); }), HasSubstr("twice"));
  const LossFunction recurrent = LoadLoss("Recurrent");
  const Variables hidden = MakeVariables(recurrent.network(), {"lstm.weight_hh_l0"}, true);
  EXPECT_THAT(MessageOf([&] { HessianOperator(recurrent, hidden); }), HasSubstr("cannot be varied"));
}

}  // namespace
}  // namespace bitplan::hessian
