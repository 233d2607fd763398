#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <string>

#include "bitplan/curvature.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LossFunction, IsTheMeanOverAllSamplesWhateverTheBatches) {
  for (const std::int64_t batch_size : {1, 4, 6, 100}) {
    const LossFunction loss = LoadLoss("TanhMlp", batch_size);
    double mean = 0, weights = 0;
    for (std::size_t batch = 0; batch < loss.batches(); ++batch) {
      mean += loss.weight(batch) * loss(batch, loss.network().ParameterValues()).item<double>();
      weights += loss.weight(batch);
    }
    EXPECT_NEAR(mean, Reference().at("TanhMlp").at("loss").get<double>(), 1e-6) << batch_size;
    EXPECT_NEAR(weights, 1, 1e-12);
  }
}

TEST(LossFunction, CountsTheSamplesOfItsBatches) {
  const LossFunction loss = LoadLoss("TanhMlp", 4);
  ASSERT_EQ(loss.batches(), 2U);
  EXPECT_EQ(loss.samples(0), 4);
  EXPECT_EQ(loss.samples(1), 2);
}

TEST(LossFunction, OfOneBatchIsThatBatchAlone) {
  for (const Loss kind : {Loss::CrossEntropy, Loss::Divergence}) {
    const LossFunction loss = LoadLoss("TanhMlp", 4, kind), last = loss.OnlyBatch(1);
    std::vector<at::Tensor> parameters = loss.network().ParameterValues();
    parameters[0] = parameters[0] + 0.1;
    ASSERT_EQ(last.batches(), 1U);
    EXPECT_EQ(last.samples(0), 2);
    EXPECT_EQ(last.weight(0), 1);
    EXPECT_EQ(last(0, parameters).item<double>(), loss(1, parameters).item<double>());
  }
}

TEST(LossFunction, IsDivergenceFromItselfWithoutLabels) {
  const LossFunction loss(LoadModel("TanhMlp"), LoadSamples("TanhMlp", false), Loss::Auto, 4);
  EXPECT_EQ(loss.loss(), Loss::Divergence);
  EXPECT_NEAR(loss(1, loss.network().ParameterValues()).item<double>(), 0, 1e-9);
  std::vector<at::Tensor> other = loss.network().ParameterValues();
  for (at::Tensor& parameter : other) parameter = parameter * 1.5;
  EXPECT_GT(loss(1, other).item<double>(), 1e-4);
}

TEST(LossFunction, IsCrossEntropyWithLabels) { EXPECT_EQ(LoadLoss("TanhMlp").loss(), Loss::CrossEntropy); }

TEST(LossFunction, RefusesCrossEntropyWithoutLabels) {
  EXPECT_THAT(
      MessageOf([] { LossFunction(LoadModel("TanhMlp"), LoadSamples("TanhMlp", false), Loss::CrossEntropy, 4); }),
      AllOf(HasSubstr("no labels"), HasSubstr("divergence")));
}

TEST(LossFunction, RefusesABatchSizeBelowOne) {
  EXPECT_THAT(MessageOf([] { LoadLoss("TanhMlp", 0); }), HasSubstr("batch_size is 0"));
}

TEST(LossFunction, NamesTheBatchWhoseLossIsNotFinite) {
  const LossFunction loss = LoadLoss("TanhMlp", 4);
  std::vector<at::Tensor> parameters = loss.network().ParameterValues();
  for (at::Tensor& parameter : parameters)
    parameter = torch::full_like(parameter, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(MessageOf([&] { loss(1, parameters); }),
              AllOf(HasSubstr("batch 1"), HasSubstr("samples 4 … 5"), HasSubstr("nan")));
}

TEST(LossFunction, RefusesADivergenceFromALogitThatIsNotFinite) {
  const Network network = ScriptedNetwork(
      "def forward(self, x):\n  return torch.linear(x * 1e30, self.weight * 1e30)\n", torch::ones({3, 3}));
  const Dataset data = Dataset::FromTensors({torch::ones({2, 3})}, {});
  EXPECT_THAT(MessageOf([&] { LossFunction(network, data, Loss::Auto, 1); }),
              AllOf(HasSubstr("not finite"), HasSubstr("batch 0")));
}

}  // namespace
}  // namespace bitplan::hessian
