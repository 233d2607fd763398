// A loss of one's own that is one of ours must have its figures.
#include <gmock/gmock.h>
#include <torch/types.h>

#include <string>

#include "bitplan/analyze.h"
#include "bitplan/loss.h"
#include "curvature/random_vector.h"
#include "gauss_newton/module_rows.h"
#include "message_of.h"
#include "network/function_file.h"

namespace bitplan::hessian {
namespace {

using test::FunctionFile;

/// Two layers and three classes.
std::string WriteNetwork(const std::string& beside) {
  torch::manual_seed(5);
  torch::jit::Module module("Small");
  module.register_parameter("a", torch::randn({6, 5}), false);
  module.register_parameter("b", torch::randn({3, 6}), false);
  module.define("def forward(self, x):\n    return torch.linear(torch.tanh(torch.linear(x, self.a)), self.b)\n");
  const std::string file = beside + ".network.pt";
  module.save(file);
  return file;
}

Dataset ModuleSamples() {
  torch::manual_seed(6);
  const at::Tensor x = torch::randn({12, 5});
  return Dataset::FromTensors({x}, torch::randint(3, {12}, torch::kLong));
}

Sensitivity AnalyzeBy(Loss loss, const std::string& module, const std::string& network_file, bool exact = false) {
  NetworkOptions options;
  options.loss_module = module;
  AnalyzeOptions analyze;
  analyze.loss = loss;
  analyze.weight_bits = {2, 4, 8};
  analyze.activation_bits = {4, 32};
  analyze.exact_hessian = exact;
  for (const Measure measure : {Measure::GaussNewton, Measure::Quadratic, Measure::SingleLoss, Measure::Trace,
                                Measure::Eigenvalue, Measure::Fisher, Measure::LogitShift, Measure::Divergence})
    analyze.measures.push_back(measure);
  return Analyze(Network::Load(network_file, options), ModuleSamples(), analyze);
}

void ExpectSameFigures(const Sensitivity& a, const Sensitivity& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i)
    for (std::size_t c = 0; c < a.layers[i].weight_choices.size(); ++c)
      for (const auto& [measure, figure] : a.layers[i].weight_choices[c].figures) {
        const double other = b.layers[i].weight_choices[c].figures.at(measure).value;
        EXPECT_NEAR(figure.value, other, 1e-4 * std::abs(other) + 1e-9) << ToString(measure) << i << c;
      }
}

TEST(ModuleLoss, HasTheFiguresOfTheSameLossByName) {
  const FunctionFile file(test::kCrossEntropySource);
  const std::string network = WriteNetwork(file.path());
  for (const bool exact : {false, true}) {
    const Sensitivity own = AnalyzeBy(Loss::Auto, file.path(), network, exact);
    EXPECT_EQ(own.loss, Loss::Module);
    EXPECT_EQ(own.loss_module_sha256.size(), 64);
    ExpectSameFigures(own, AnalyzeBy(Loss::CrossEntropy, "", network, exact));
  }
}

TEST(ModuleLoss, ByNameIsTakenWhereItIsAskedFor) {
  const FunctionFile file("def forward(self, a):\n    return torch.sum(a * a, [1])\n");
  const std::string network = WriteNetwork(file.path());
  ExpectSameFigures(AnalyzeBy(Loss::CrossEntropy, file.path(), network), AnalyzeBy(Loss::CrossEntropy, "", network));
  EXPECT_THAT(MessageOf([&] { AnalyzeBy(Loss::Module, "", network); }), testing::HasSubstr("--loss-module"));
}

/// 100 outputs: more than rows are taken of one by one.
TEST(ModuleLoss, RowsThatAreDrawnAreSquareRootsOfItsHessian) {
  const FunctionFile file(test::kCrossEntropySource);
  Criterion criterion;
  criterion.loss = Loss::Module;
  criterion.module = SampleFunction::Load(file.path());
  torch::manual_seed(7);
  const at::Tensor z = torch::randn({1, 100}, torch::kDouble), label = torch::zeros({1}, torch::kLong);
  std::mt19937_64 generator(1), again(1);
  const at::Tensor rows = DrawnModuleRows(criterion, z, label, 9, generator);
  const at::Tensor p = at::softmax(z, 1)[0];
  const auto [values, vectors] = at::linalg_eigh(at::diag(p) - at::outer(p, p));
  const at::Tensor root = at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
  const at::Tensor signs = Rademacher(torch::empty({9, 100}, torch::kDouble), again);
  const at::Tensor expected = at::matmul(signs, root) / 3;
  EXPECT_LT(((rows - expected).norm() / expected.norm()).item<double>(), 2e-3);
}

TEST(ModuleLoss, WithoutADerivativeIsRefused) {
  const FunctionFile file(
      "def forward(self, output, labels):\n    return torch.ne(torch.argmax(output, 1), labels) * 1.0\n");
  EXPECT_THAT(MessageOf([&] { AnalyzeBy(Loss::Auto, file.path(), WriteNetwork(file.path())); }),
              testing::AllOf(testing::HasSubstr("judge"), testing::HasSubstr("no derivative")));
}

/// Curved downwards along the first output, upwards along the second.
TEST(ModuleLoss, TakesNothingOfCurvatureBelowZero) {
  const FunctionFile file("def forward(self, a):\n    return a[:, 1] * a[:, 1] - a[:, 0] * a[:, 0]\n");
  Criterion criterion;
  criterion.loss = Loss::Module;
  criterion.module = SampleFunction::Load(file.path());
  const auto [rows, lengths] = AllModuleRows(criterion, torch::ones({2, 3}), {});
  EXPECT_TRUE(at::allclose(lengths, torch::tensor({2.0, 0.0, 0.0}, torch::kDouble).expand({2, 3})));
  EXPECT_TRUE(at::allclose(at::matmul(rows.transpose(1, 2), rows)[0],
                           at::diag(torch::tensor({0.0, 2.0, 0.0}, torch::kDouble))));
}

}  // namespace
}  // namespace bitplan::hessian
