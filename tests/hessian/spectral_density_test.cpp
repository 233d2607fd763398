#include "bitplan/spectral_density.h"

#include <gmock/gmock.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>

#include "bitplan/error.h"
#include "eigen/lanczos_quadrature.h"
#include "hessian/gauss_newton_reference.h"
#include "hessian/reference.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::HasSubstr;

/// Symmetric, with these eigenvalues.
MatrixXd MatrixWith(const VectorXd& eigenvalues) {
  std::srand(5);
  const MatrixXd basis =
      Eigen::HouseholderQR<MatrixXd>(MatrixXd::Random(eigenvalues.size(), eigenvalues.size())).householderQ();
  return basis * eigenvalues.asDiagonal() * basis.transpose();
}

SymmetricOperator OperatorOf(const MatrixXd& matrix) {
  return {matrix.rows(),
          [&](const double* x, double* y) {
            Eigen::Map<VectorXd>(y, matrix.rows()) = matrix * Eigen::Map<const VectorXd>(x, matrix.rows());
          },
          1000,
          {}};
}

double Sum(const Quadrature& quadrature, int power) {
  double sum = 0;
  for (std::size_t i = 0; i < quadrature.nodes.size(); ++i)
    sum += quadrature.weights[i] * std::pow(quadrature.nodes[i], power);
  return sum;
}

TEST(LanczosQuadrature, IsExactForPolynomialsBelowTwiceItsNodes) {
  const MatrixXd matrix = MatrixWith(VectorXd::LinSpaced(40, -0.7, 1.0));
  const at::Tensor start = torch::linspace(-1, 2, 40, torch::kDouble);
  const VectorXd v = Eigen::Map<const VectorXd>(start.const_data_ptr<double>(), 40).normalized();
  for (const int steps : {1, 2, 5, 9}) {
    const Quadrature quadrature = LanczosQuadrature(OperatorOf(matrix), start, steps);
    ASSERT_EQ(quadrature.nodes.size(), static_cast<std::size_t>(steps));
    VectorXd power = v;
    for (int k = 0; k < 2 * steps; ++k, power = matrix * power)
      EXPECT_NEAR(Sum(quadrature, k), v.dot(power), 1e-12) << steps << " steps, power " << k;
    EXPECT_GT(std::abs(Sum(quadrature, 2 * steps) - v.dot(power)), 1e-9) << "and not above";
  }
}

TEST(LanczosQuadrature, StaysOrthogonalOverManySteps) {
  // Geometric eigenvalues: without reorthogonalization the largest would be found again and again.
  VectorXd eigenvalues(60);
  for (int i = 0; i < 60; ++i) eigenvalues[i] = std::pow(0.8, i);
  const Quadrature quadrature =
      LanczosQuadrature(OperatorOf(MatrixWith(eigenvalues)), torch::ones({60}, torch::kDouble), 50);
  const auto above =
      std::count_if(quadrature.nodes.begin(), quadrature.nodes.end(), [](double node) { return node > 0.3; });
  EXPECT_EQ(above, 6);  // 0.8^5 = 0.328
}

TEST(LanczosQuadrature, EndsWhereTheSubspaceIsInvariant) {
  VectorXd eigenvalues = VectorXd::Zero(50);
  eigenvalues.head(3) << 3, 2, 1;
  const MatrixXd matrix = MatrixWith(eigenvalues);
  const Quadrature quadrature = LanczosQuadrature(OperatorOf(matrix), torch::linspace(1, 2, 50, torch::kDouble), 50);
  EXPECT_THAT(quadrature.nodes, testing::Pointwise(testing::DoubleNear(1e-6), {0.0, 1.0, 2.0, 3.0}));
  const Quadrature zero = LanczosQuadrature(OperatorOf(MatrixXd::Zero(5, 5)), torch::ones({5}, torch::kDouble), 5);
  EXPECT_EQ(zero.nodes, std::vector<double>{0});
  EXPECT_EQ(zero.weights, std::vector<double>{1});
}

/// Compares moments, extreme eigenvalues, shares and the smoothed curve with the dense spectrum.
void ExpectDistribution(const SpectralDensity& density, std::vector<double> eigenvalues) {
  std::sort(eigenvalues.begin(), eigenvalues.end());
  const auto rows = static_cast<double>(eigenvalues.size());
  ASSERT_EQ(density.rows, static_cast<std::int64_t>(eigenvalues.size()));
  const double scale = std::max(-eigenvalues.front(), eigenvalues.back());
  for (const Quadrature& probe : density.probes) {
    EXPECT_NEAR(std::accumulate(probe.weights.begin(), probe.weights.end(), 0.0), 1, 1e-12);
    EXPECT_TRUE(std::is_sorted(probe.nodes.begin(), probe.nodes.end()));
  }
  EXPECT_NEAR(density.Largest(), eigenvalues.back(), 2e-4 * scale);
  EXPECT_NEAR(density.Least(), eigenvalues.front(), 2e-4 * scale);
  for (const int order : {1, 2, 3, 4}) {
    double exact = 0;
    for (const double value : eigenvalues) exact += std::pow(value, order) / rows;
    const Estimate moment = density.Moment(order);
    EXPECT_NEAR(moment.value, exact, 4 * moment.standard_error + 1e-5 * std::pow(scale, order)) << "moment " << order;
    EXPECT_LT(moment.standard_error, 0.1 * std::pow(scale, order));
  }
  const double half = 0.5 * scale;
  const auto inside =
      std::count_if(eigenvalues.begin(), eigenvalues.end(), [&](double value) { return std::abs(value) <= half; });
  const Estimate share = density.Share(-half, half);
  EXPECT_NEAR(share.value, static_cast<double>(inside) / rows, 4 * share.standard_error + 1e-9);

  const DensityCurve curve = Smoothed(density, 0.05, 200);
  double outside = 0, integral = 0;
  for (std::size_t i = 0; i < curve.eigenvalues.size(); ++i) {
    double exact = 0;
    for (const double value : eigenvalues) {
      const double away = (curve.eigenvalues[i] - value) / curve.width;
      exact += std::exp(-away * away / 2) / (curve.width * std::sqrt(2 * std::numbers::pi) * rows);
    }
    const double room = 4 * curve.standard_errors[i] + 2e-3 / curve.width / rows;
    if (std::abs(curve.density[i] - exact) > room) ++outside;
    integral += curve.density[i] * (curve.eigenvalues[1] - curve.eigenvalues[0]);
  }
  EXPECT_LE(outside, 2) << "points of the curve off by more than four standard errors";
  EXPECT_NEAR(integral, 1, 1e-6);
}

SpectralDensityOptions AllSteps(std::ptrdiff_t rows) {
  SpectralDensityOptions options;
  options.probes = 50;
  options.steps = static_cast<int>(rows);
  return options;
}

class HessianDensity : public testing::TestWithParam<std::pair<std::string, std::vector<std::string>>> {};

TEST_P(HessianDensity, IsTheDistributionOfTheDenseEigenvalues) {
  const auto& [model, weights] = GetParam();
  const LossFunction loss = LoadLoss(model);
  const HessianOperator hessian(loss, MakeVariables(loss.network(), weights));
  const at::Tensor dense = std::get<0>(at::linalg_eigh(ReferenceHessian(model, "weights", weights))).contiguous();
  ExpectDistribution(EstimateSpectralDensity(hessian, AllSteps(hessian.rows())),
                     {dense.const_data_ptr<double>(), dense.const_data_ptr<double>() + dense.numel()});
}

INSTANTIATE_TEST_SUITE_P(
    Models, HessianDensity,
    testing::Values(std::pair{"TanhMlp", std::vector<std::string>{"fc1.weight", "fc2.weight"}},
                    std::pair{"ConvBatchNorm", std::vector<std::string>{"conv.weight", "fc.weight"}},
                    std::pair{"Attention", std::vector<std::string>{"query.weight", "value.weight"}}),
    [](const auto& test) { return std::string(test.param.first); });

class GaussNewtonDensity : public testing::TestWithParam<GaussNewtonCase> {};

TEST_P(GaussNewtonDensity, IsTheDistributionOfTheDenseEigenvaluesOfAllLayers) {
  GaussNewtonOptions given;
  given.loss = GetParam().Kind();
  given.temperature = GetParam().Temperature();
  given.cut = 0;
  const GaussNewton matrix = GaussNewton::Compute(GetParam().Load(), GetParam().Samples(), given);
  std::vector<std::size_t> all(matrix.layers().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const GaussNewtonOperator of_all(matrix, all);
  auto eigenvalues =
      GetParam().Expected().at("joint").at("eigenvalues").get<std::vector<double>>();  // the others are zero
  eigenvalues.resize(static_cast<std::size_t>(of_all.rows()));
  const SpectralDensity density = EstimateSpectralDensity(of_all, AllSteps(of_all.rows()));
  ExpectDistribution(density, eigenvalues);
  EXPECT_LT(density.products, 50 * (matrix.rows() + 3)) << "Lanczos goes on in the kernel";
}

std::vector<GaussNewtonCase> JointCases() {
  std::vector<GaussNewtonCase> cases = GaussNewtonCases();
  std::erase_if(cases, [](const GaussNewtonCase& each) { return !each.Expected().contains("joint"); });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(ModelsAndLosses, GaussNewtonDensity, testing::ValuesIn(JointCases()),
                         [](const auto& each) { return each.param.Name(); });

HessianOperator SmallHessian() {
  const LossFunction loss = LoadLoss("TanhMlp");
  return {loss, {.layers = {0}}};
}

TEST(SpectralDensity, NeedsNoMoreThanFewStepsForItsLowMoments) {
  const HessianOperator hessian = SmallHessian();
  SpectralDensityOptions options = AllSteps(hessian.rows());
  const SpectralDensity all = EstimateSpectralDensity(hessian, options);
  options.steps = 3;
  const SpectralDensity few = EstimateSpectralDensity(hessian, options);
  for (const int order : {0, 1, 2, 3, 4, 5})
    EXPECT_NEAR(few.Moment(order).value, all.Moment(order).value, 1e-5) << order;
  EXPECT_GE(few.Least(), all.Least() - 1e-6);
  EXPECT_LE(few.Largest(), all.Largest() + 1e-6);
}

TEST(SpectralDensity, DependsOnTheSeedAlone) {
  const HessianOperator hessian = SmallHessian();
  SpectralDensityOptions options;
  options.probes = 2;
  const SpectralDensity first = EstimateSpectralDensity(hessian, options),
                        again = EstimateSpectralDensity(hessian, options);
  EXPECT_EQ(first.probes[1].nodes, again.probes[1].nodes);
  EXPECT_EQ(first.probes[1].weights, again.probes[1].weights);
  EXPECT_NE(first.probes[0].weights, first.probes[1].weights);
  options.seed = 1;
  EXPECT_NE(EstimateSpectralDensity(hessian, options).probes[0].weights, first.probes[0].weights);
}

TEST(SpectralDensity, OfOneProbeHasNoStandardErrors) {
  SpectralDensityOptions options;
  options.probes = 1;
  const SpectralDensity density = EstimateSpectralDensity(SmallHessian(), options);
  EXPECT_EQ(density.Moment(1).standard_error, 0);
  EXPECT_THAT(Smoothed(density).standard_errors, testing::Each(0.0));
}

TEST(SpectralDensity, OfZeroIsASinglePeakAtZero) {
  const LossFunction loss = LoadLoss("DeadBranch");
  const SpectralDensity density =
      EstimateSpectralDensity(HessianOperator(loss, MakeVariables(loss.network(), {"never.weight"})), {});
  EXPECT_EQ(density.Largest(), 0);
  EXPECT_EQ(density.Share(0, 0).value, 1);
  const DensityCurve curve = Smoothed(density);
  const auto peak = std::max_element(curve.density.begin(), curve.density.end()) - curve.density.begin();
  EXPECT_NEAR(curve.eigenvalues[static_cast<std::size_t>(peak)], 0, curve.width);
}

TEST(SpectralDensity, ReportsAndCanBeStopped) {
  SpectralDensityOptions options;
  std::int64_t calls = 0;
  options.progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.stage, "spectral density");
    EXPECT_LE(progress.done, progress.total);
    if (++calls == 7) throw std::domain_error("stop");
  };
  EXPECT_THROW(EstimateSpectralDensity(SmallHessian(), options), std::domain_error);
  EXPECT_EQ(calls, 7);
}

TEST(SpectralDensity, NamesWhatDoesNotFit) {
  const HessianOperator hessian = SmallHessian();
  const auto message = [&](const auto& change) {
    SpectralDensityOptions options;
    change(options);
    return MessageOf([&] { EstimateSpectralDensity(hessian, options); });
  };
  EXPECT_THAT(message([](auto& o) { o.probes = 0; }), HasSubstr("probes is 0"));
  EXPECT_THAT(message([](auto& o) { o.steps = -1; }), HasSubstr("steps is -1"));
  EXPECT_THAT(message([](auto& o) { o.steps = 10000; }), HasSubstr("at most its rows"));
  EXPECT_THAT(message([](auto& o) { o.memory_bytes = 0; }), HasSubstr("memory_bytes"));
  EXPECT_THAT(message([](auto& o) { o.memory_bytes = 100; }), HasSubstr("fewer steps"));
  const LossFunction dead = LoadLoss("DeadBranch");
  EXPECT_THAT(MessageOf([&] {
                EstimateSpectralDensity(HessianOperator(dead, MakeVariables(dead.network(), {"never.weight"}, true)),
                                        {});
              }),
              HasSubstr("none of the variables"));
  const SpectralDensity density = EstimateSpectralDensity(hessian, {});
  EXPECT_THAT(MessageOf([&] { Smoothed(density, 0); }), HasSubstr("width is 0"));
  EXPECT_THAT(MessageOf([&] { Smoothed(density, 0.01, 100); }), HasSubstr("at least 336"));
  EXPECT_THAT(MessageOf([&] { static_cast<void>(density.Moment(-1)); }), HasSubstr("order"));
}

TEST(SpectralDensityFiles, HoldTheCurve) {
  const SpectralDensity density = EstimateSpectralDensity(SmallHessian(), {});
  const DensityCurve curve = Smoothed(density, 0.05, 100);
  const std::string csv = ToCsv(curve);
  EXPECT_THAT(csv, testing::StartsWith("eigenvalue,density,standard error\n"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 101);
  const std::string svg = ToSvg(curve, density.rows, "Spectrum of fc1");
  EXPECT_THAT(svg, HasSubstr("Spectrum of fc1"));
  EXPECT_THAT(svg, HasSubstr("density"));
}

}  // namespace
}  // namespace bitplan::hessian
