// Several outputs judged together, against PyTorch's dense Hessians in float64 (make_several_outputs.py).
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/curvature.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/loss.h"
#include "gauss_newton/loss_rows.h"
#include "hessian/reference.h"
#include "message_of.h"
#include "shifts/shift_figures.h"

namespace bitplan::hessian {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::filesystem::path Folder() { return std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "several_outputs"; }

class SeveralOutputs : public ::testing::Test {
 protected:
  SeveralOutputs() : expected_(nlohmann::json::parse(std::ifstream(Folder() / "reference.json"))) {
    const auto x = expected_.at("x").get<std::vector<float>>();
    labels_ = torch::tensor(expected_.at("labels").get<std::vector<std::int64_t>>());
    x_ = torch::tensor(x).view({6, 1, 4, 4});
  }

  Network Load(bool module, const std::string& output = "all") const {
    NetworkOptions options;
    options.output = output;
    if (module) options.loss_module = (Folder() / "loss.pt").string();
    return Network::Load(Folder() / "heads.pt", options);
  }

  Dataset Samples() const { return Dataset::FromTensors({x_}, labels_); }

  at::Tensor Numbers(const std::string& key) const {
    return torch::tensor(expected_.at(key).get<std::vector<double>>(), torch::kDouble);
  }

  void ExpectBlocks(const std::string& key, bool module) const {
    const Network network = Load(module);
    GaussNewtonOptions options;
    options.cut = 0;
    const GaussNewton matrix = GaussNewton::Compute(network, Samples(), options);
    for (const auto& [name, block] : expected_.at("blocks").at(key).items()) {
      const auto layer = static_cast<std::size_t>(LayerOf(network, name + ".weight"));
      EXPECT_NEAR(matrix.Trace(layer).value, block.at("trace"), 2e-5 * block.at("trace").get<double>()) << key << name;
      EXPECT_NEAR(matrix.FrobeniusNorm(layer), block.at("frobenius"), 2e-5 * block.at("frobenius").get<double>());
      const Eigenpairs pairs = TopEigenpairs(GaussNewtonOperator(matrix, {layer}), {});
      EXPECT_NEAR(pairs.values.front(), block.at("largest"), 1e-4 * block.at("largest").get<double>()) << key << name;
    }
  }

  nlohmann::json expected_;
  at::Tensor x_, labels_;
};

TEST_F(SeveralOutputs, AreJudgedByDivergenceOfVectorsAndSquaredErrorOfMapsInEqualParts) {
  const Network network = Load(false);
  const Criterion criterion = ResolveLoss(network, Samples());
  EXPECT_EQ(criterion.loss, Loss::Divergence);
  EXPECT_EQ(criterion.outputs, OutputKind::Several);
  ASSERT_EQ(criterion.several.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const double weight = expected_.at("weights")[i];
    EXPECT_NEAR(criterion.several[i].weight, weight, 1e-5 * weight);
  }
  EXPECT_EQ(criterion.several[1].kind, OutputKind::Classes);
  EXPECT_THAT(criterion.reason, AllOf(HasSubstr("scores [N, 4]"), HasSubstr("masks [N, 2, 4, 4]"), HasSubstr("best")));
}

TEST_F(SeveralOutputs, HaveTheLossesOfEverySample) {
  const at::Tensor z = Load(false).Forward({x_}).to(at::kDouble), moved = z + Numbers("delta").view({6, 42});
  for (const bool module : {false, true}) {
    const Criterion criterion = ResolveLoss(Load(module), Samples());
    EXPECT_TRUE(at::allclose(SampleLosses(criterion.With(Loss::Divergence), moved, z, labels_), Numbers("divergence"),
                             1e-4, 1e-6));
    const ShiftJudge judge{z, labels_, criterion};
    EXPECT_TRUE(at::allclose(judge.OfSamples(Measure::LogitShift, moved - z), Numbers("shift"), 1e-4, 1e-6));
    if (module) {
      EXPECT_TRUE(at::allclose(SampleLosses(criterion, z, {}, labels_), Numbers("module"), 1e-5, 1e-6));
      EXPECT_TRUE(at::allclose(SampleLosses(criterion, moved, {}, labels_), Numbers("module_moved"), 1e-5, 1e-6));
    } else {
      EXPECT_TRUE(at::allclose(judge.OfSamples(Measure::GaussNewton, moved - z), Numbers("gauss_newton"), 1e-4, 1e-6));
    }
  }
}

TEST_F(SeveralOutputs, HaveTheGaussNewtonBlocksOfTheirSum) { ExpectBlocks("composite", false); }

TEST_F(SeveralOutputs, HaveTheGaussNewtonBlocksOfAModuleOfThemAll) { ExpectBlocks("module", true); }

TEST_F(SeveralOutputs, HaveGradientsAndHessiansOfAModule) {
  const Network network = Load(true);
  const LossFunction loss(network, Samples(), Loss::Auto, 4);
  for (const auto& [name, block] : expected_.at("blocks").at("module").items()) {
    const int layer = LayerOf(network, name + ".weight");
    const auto index = static_cast<std::size_t>(network.layers()[static_cast<std::size_t>(layer)].weight);
    at::Tensor gradient;
    for (std::size_t batch = 0; batch < loss.batches(); ++batch) {
      std::vector<at::Tensor> parameters = network.ParameterValues();
      parameters[index] = parameters[index].clone().requires_grad_();
      const at::Tensor part =
          loss.weight(batch) * torch::autograd::grad({loss(batch, parameters)}, {parameters[index]})[0];
      gradient = gradient.defined() ? gradient + part : part;
    }
    const at::Tensor wanted = torch::tensor(block.at("gradient").get<std::vector<double>>(), torch::kDouble);
    EXPECT_LT((gradient.flatten() - wanted).norm().item<double>(), 1e-5 * wanted.norm().item<double>()) << name;
    const HessianOperator hessian(loss, Variables{{layer}, false});
    double trace = 0;
    for (std::ptrdiff_t i = 0; i < hessian.rows(); ++i) {
      std::vector<double> unit(static_cast<std::size_t>(hessian.rows())), product = unit;
      unit[static_cast<std::size_t>(i)] = 1;
      hessian.perform_op(unit.data(), product.data());
      trace += product[static_cast<std::size_t>(i)];
    }
    const double of_block = block.at("hessian_trace");
    EXPECT_NEAR(trace, of_block, 1e-4 * std::abs(of_block)) << name;
  }
}

/// More numbers than rows are taken of one by one: drawn ones add up to the same on average.
TEST_F(SeveralOutputs, HaveRowsDrawnThatAddUpToTheSameCurvature) {
  const Network network = Load(false);
  const at::Tensor z = network.Forward({x_});
  const Criterion criterion = ResolveLoss(network, Samples());
  const auto product = [&](int wanted) {
    const LossRows rows = LossCurvature(criterion, z, labels_, wanted, 0, 1).Rows({0});
    const at::Tensor of_sample = rows.rows.select(1, 0).to(at::kDouble);
    return at::matmul(of_sample.t(), of_sample);
  };
  const at::Tensor exact = product(0), drawn = product(4000);
  EXPECT_LT(((exact - drawn).norm() / exact.norm()).item<double>(), 0.1);
}

TEST_F(SeveralOutputs, TakeEveryMeasureAndNoJointTerm) {
  AnalyzeOptions options;
  options.weight_bits = {2, 8};
  options.activation_bits = {4, 32};
  options.measures = AllMeasures();
  const Sensitivity found = Analyze(Load(false), Samples(), options);
  EXPECT_EQ(found.outputs, OutputKind::Several);
  for (const Measure measure : AllMeasures()) EXPECT_TRUE(found.Has(measure)) << ToString(measure);
  EXPECT_FALSE(CanBeJoint(found, Measure::GaussNewton));
  for (const LayerSensitivity& layer : found.layers) {
    const auto of = [&](std::size_t choice) {
      return layer.weight_choices[choice].figures.at(Measure::GaussNewton).value;
    };
    EXPECT_GT(of(0), of(1)) << layer.name;
  }
  options.keep_shifts = true;
  EXPECT_THAT(MessageOf([&] { Analyze(Load(false), Samples(), options); }), HasSubstr("joint"));
}

TEST_F(SeveralOutputs, RefuseLossesOfOne) {
  const auto refusal = [&](Loss loss) { return MessageOf([&] { ResolveLoss(Load(false), Samples(), loss); }); };
  EXPECT_THAT(refusal(Loss::CrossEntropy), AllOf(HasSubstr("cross-entropy"), HasSubstr("loss module")));
  EXPECT_THAT(refusal(Loss::BinaryCrossEntropy), HasSubstr("one output"));
  EXPECT_THAT(refusal(Loss::Module), HasSubstr("--loss-module"));
  const Criterion squared = ResolveLoss(Load(false), Samples(), Loss::MeanSquaredError);
  EXPECT_EQ(squared.several[1].kind, OutputKind::Values);
  EXPECT_THAT(MessageOf([&] { ResolveLoss(Load(true, "scores"), Samples()); }),
              AllOf(HasSubstr("loss.pt"), HasSubstr("scores, masks, boxes, labels")));
}

}  // namespace
}  // namespace bitplan::hessian
