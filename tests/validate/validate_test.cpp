#include "bitplan/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/plan.h"
#include "quantize/networks.h"

namespace bitplan {
namespace {

Network SmallNetwork() {
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "models" / "small_resnet.scripted.pt");
}

Dataset Images(const Network& network, std::uint64_t seed) {
  const at::Tensor images = AllInputs(Samples({40, 3, 8, 8}, seed))[0];
  return Dataset::FromTensors({images}, network.Forward({images}).argmax(1));
}

ValidateOptions FewPlans() {
  ValidateOptions options;
  options.plans = 12;
  options.analyze.weight_bits = {2, 4, 8};
  options.analyze.measures = {Measure::RelativeError, Measure::Divergence, Measure::LogitShift, Measure::GaussNewton};
  return options;
}

TEST(Validate, MeasuresTheRealRiseOfEveryPlan) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1), test = Images(network, 2);
  const Validation validation = Validate(network, data, test, FewPlans());
  ASSERT_EQ(validation.plans.size(), 12U);
  ASSERT_EQ(validation.groups.size(), network.layers().size());
  for (const std::size_t i : {0U, 7U}) {
    Plan plan;
    plan.model_sha256 = network.sha256();
    for (std::size_t layer = 0; layer < network.layers().size(); ++layer)
      plan.layers.push_back({network.layers()[layer].name,
                             DefaultWeightFormat().WithBits(std::stoi(validation.plans[i].choices[layer].substr(1, 1))),
                             DefaultActivationFormat().WithBits(32)});
    const std::vector<QuantizedNetwork> quantized{QuantizedNetwork::Create(network, plan, data)};
    EXPECT_NEAR(validation.plans[i].rise, Evaluate(network, quantized, data)[1].divergence, 1e-9);
    EXPECT_EQ(validation.plans[i].accuracy, Evaluate(network, quantized, test)[1].accuracy);
  }
}

TEST(Validate, ComparesEveryMeasureAndTheJointOnes) {
  const Network network = SmallNetwork();
  const Validation validation = Validate(network, Images(network, 1), std::nullopt, FewPlans());
  std::vector<std::string> names;
  for (const Agreement& agreement : validation.agreements) {
    names.push_back(agreement.measure);
    EXPECT_EQ(agreement.predictions.size(), validation.plans.size());
    EXPECT_GE(agreement.spearman, -1);
    EXPECT_LE(agreement.spearman, 1);
    EXPECT_FALSE(agreement.spearman_accuracy);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("relative-error", "divergence", "divergence, joint", "logit-shift",
                                                   "logit-shift, joint", "gauss-newton", "gauss-newton, shrunk",
                                                   "gauss-newton, joint"));
  EXPECT_TRUE(std::is_sorted(validation.agreements.begin(), validation.agreements.end(),
                             [](const Agreement& a, const Agreement& b) { return a.spearman > b.spearman; }));
  EXPECT_GT(validation.agreements.front().spearman, 0.7);
}

/// A plan that quantizes one layer alone has exactly the shift that was measured: joint and own predictions are its
/// real rise.
TEST(Validate, PredictsPlansOfOneQuantizedLayerExactly) {
  const Network network = SmallNetwork();
  ValidateOptions options = FewPlans();
  options.analyze.weight_bits = {3, 32};
  options.plans = 60;
  const Validation validation = Validate(network, Images(network, 1), std::nullopt, options);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < validation.plans.size(); ++i) {
    const auto& choices = validation.plans[i].choices;
    if (std::count(choices.begin(), choices.end(), "w3a32") != 1) continue;
    ++compared;
    for (const Agreement& agreement : validation.agreements) {
      if (!agreement.measure.starts_with("divergence")) continue;
      EXPECT_NEAR(agreement.predictions[i], validation.plans[i].rise, 1e-3 * validation.plans[i].rise + 1e-7)
          << agreement.measure;
    }
  }
  EXPECT_GE(compared, 1U);
}

TEST(Validate, GivesTheSameBytesForTheSameSeed) {
  const Network network = SmallNetwork();
  const Dataset data = Images(network, 1);
  const Validation first = Validate(network, data, data, FewPlans()),
                   second = Validate(network, data, data, FewPlans());
  EXPECT_EQ(ToCsv(first), ToCsv(second));
  EXPECT_EQ(ToSvg(first), ToSvg(second));
  std::istringstream lines(ToCsv(first));
  std::string header;
  std::getline(lines, header);
  EXPECT_TRUE(header.starts_with("plan,conv1,")) << header;
  EXPECT_NE(ToSvg(first).find("divergence, joint"), std::string::npos);
}

TEST(Validate, RefusesTooFewPlansAndNothingToCompare) {
  const Network network = SmallNetwork();
  ValidateOptions options = FewPlans();
  options.plans = 9;
  EXPECT_THROW(Validate(network, Images(network, 1), std::nullopt, options), Error);
  options = FewPlans();
  options.analyze.weight_bits = {4};
  EXPECT_THROW(Validate(network, Images(network, 1), std::nullopt, options), Error);
}

TEST(ValidateOptions, RefuseWhatWouldBeOverwritten) {
  ValidateOptions options = FewPlans();
  EXPECT_NO_THROW(options.Validate());
  options.analyze.batch_size = 3;
  EXPECT_THROW(options.Validate(), Error);
  options.batch_size = 3;
  EXPECT_NO_THROW(options.Validate());
  options.quantize.memory_bytes = 3;
  EXPECT_THROW(options.Validate(), Error);
}

}  // namespace
}  // namespace bitplan
