#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "bitplan/curvature.h"
#include "bitplan/gauss_newton.h"
#include "hessian/reference.h"

namespace bitplan::hessian {
namespace {

/// The loss of the bundled network on the 16 images that make_reference.py took.
LossFunction ResNetLoss(bool fold_batch_norm, std::int64_t batch_size = 16) {
  const auto folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm;
  const Dataset images = Dataset::Load("cifar10:" + (folder / "train.bin").string(), {}).First(16);
  return {Network::Load(folder / "resnet20.pt", options), images, Loss::CrossEntropy, batch_size};
}

/// vᵀHv for v = sin 1, sin 2, …
double QuadraticForm(const HessianOperator& hessian) {
  const at::Tensor v = torch::arange(1, hessian.rows() + 1, torch::kDouble).sin(), product = torch::empty_like(v);
  hessian.perform_op(v.data_ptr<double>(), product.data_ptr<double>());
  return v.dot(product).item<double>();
}

class ResNet20 : public ::testing::TestWithParam<std::size_t> {
 protected:
  const nlohmann::json& expected() const { return Reference().at("ResNet20").at("cases").at(GetParam()); }
  Variables WeightOf(const Network& network) const {
    return MakeVariables(network, {expected().at("layer").get<std::string>()});
  }
};

TEST_P(ResNet20, HessianHasTheQuadraticFormOfPyTorch) {
  for (const std::int64_t batch_size : {16, 6}) {
    const LossFunction loss = ResNetLoss(expected().at("fold_batch_norm"), batch_size);
    const double value = expected().at("quadratic_form");
    EXPECT_NEAR(QuadraticForm(HessianOperator(loss, WeightOf(loss.network()))), value, 1e-3 * std::abs(value));
  }
}

TEST_P(ResNet20, TopEigenvalueIsThatOfPyTorch) {
  const LossFunction loss = ResNetLoss(expected().at("fold_batch_norm"));
  const Eigenpairs pairs = TopEigenpairs(HessianOperator(loss, WeightOf(loss.network())), {});
  const double value = expected().at("eigenvalue");
  EXPECT_TRUE(pairs.converged);
  EXPECT_LE(pairs.residuals[0], 1e-3 * std::abs(pairs.values[0]));
  EXPECT_NEAR(pairs.values[0], value, 1e-3 * std::abs(value));
}

class ResNet20Trace : public ResNet20 {};

TEST_P(ResNet20Trace, IsThatOfPyTorch) {
  const LossFunction loss = ResNetLoss(expected().at("fold_batch_norm"));
  TraceOptions options;
  options.min_probes = 128;
  options.max_probes = 128;
  const TraceEstimate estimate = Traces(loss, WeightOf(loss.network()), options)[0];
  EXPECT_NEAR(estimate.value, expected().at("trace").get<double>(), 4 * estimate.standard_error);
}

/// The layers with few enough elements for an exact trace.
std::vector<std::size_t> CasesWithTraces() {
  const nlohmann::json& cases = Reference().at("ResNet20").at("cases");
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < cases.size(); ++i)
    if (cases[i].contains("trace")) found.push_back(i);
  return found;
}

INSTANTIATE_TEST_SUITE_P(Layers, ResNet20Trace, ::testing::ValuesIn(CasesWithTraces()));
INSTANTIATE_TEST_SUITE_P(Layers, ResNet20,
                         ::testing::Range(std::size_t{0}, Reference().at("ResNet20").at("cases").size()));

TEST(ResNet20Input, HessianHasTheQuadraticFormOfPyTorch) {
  const nlohmann::json& expected = Reference().at("ResNet20").at("activation");
  for (const std::int64_t batch_size : {16, 6}) {
    const LossFunction loss = ResNetLoss(true, batch_size);
    const HessianOperator hessian(loss, MakeVariables(loss.network(), {expected.at("layer").get<std::string>()}, true));
    ASSERT_EQ(hessian.rows(), expected.at("elements").get<std::ptrdiff_t>());
    const double value = expected.at("quadratic_form");
    EXPECT_NEAR(QuadraticForm(hessian), value, 1e-3 * std::abs(value));
  }
}

/// ReLU between the layers: each layer's Gauss-Newton block is its block of the Hessian.
TEST(ResNet20GaussNewton, EigenvaluesOfAllLayersAreThoseOfTheHessian) {
  const LossFunction loss = ResNetLoss(true);
  const auto folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  const Dataset images = Dataset::Load("cifar10:" + (folder / "train.bin").string(), {}).First(16);
  const GaussNewton matrix = GaussNewton::Compute(loss.network(), images, {});
  ASSERT_EQ(matrix.layers().size(), 20U);
  EigenOptions options;
  options.tolerance = 3e-4;
  for (std::size_t i = 0; i < 20; ++i) {
    const Eigenpairs factored = TopEigenpairs(GaussNewtonOperator(matrix, {i}), options);
    const Eigenpairs exact = TopEigenpairs(HessianOperator(loss, {.layers = {static_cast<int>(i)}}), options);
    EXPECT_NEAR(factored.values[0], exact.values[0], 1e-3 * exact.values[0]) << loss.network().layers()[i].name;
    EXPECT_TRUE(factored.converged);
  }
}

}  // namespace
}  // namespace bitplan::hessian
