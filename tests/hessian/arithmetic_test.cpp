#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include <cmath>
#include <filesystem>

#include "bitplan/analyze.h"
#include "bitplan/gauss_newton.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"

namespace bitplan::hessian {
namespace {

/// Two logits, which have a single row of curvature, from one weight that is read twice.
Network TwoLogits() {
  at::set_num_threads(1);
  return ScriptedNetwork(R"(
    def forward(self, x):
        h = torch.relu(torch.linear(x, self.weight))
        return torch.linear(h, self.weight)[:, :2]
  )",
                         torch::linspace(-1, 1.3, 36).view({6, 6}));
}

Dataset OneSample() { return Dataset::FromTensors({torch::linspace(-0.7, 1.9, 6).view({1, 6})}, {}); }

AnalyzeOptions InArithmetic(Measure measure, Arithmetic compute) {
  AnalyzeOptions options;
  options.measures = {measure};
  options.loss = Loss::Divergence;
  options.compute = compute;
  return options;
}

/// The only row of the curvature of a single sample, from the matrix a aᵀ, up to its sign.
at::Tensor OnlyRow(Arithmetic compute) {
  GaussNewtonOptions options;
  options.loss = Loss::Divergence;
  options.compute = compute;
  const GaussNewtonOperator matrix(GaussNewton::Compute(TwoLogits(), OneSample(), options), {0});
  const std::int64_t n = matrix.rows();
  const at::Tensor identity = torch::eye(n, torch::kDouble), dense = torch::empty({n, n}, torch::kDouble);
  for (std::int64_t i = 0; i < n; ++i) matrix.perform_op(identity[i].data_ptr<double>(), dense[i].data_ptr<double>());
  const auto [values, vectors] = at::linalg_eigh((dense + dense.t()) / 2);
  EXPECT_LT(values[n - 2].item<double>(), 1e-6 * values[n - 1].item<double>());
  return vectors.select(1, n - 1) * values[n - 1].sqrt();
}

TEST(Arithmetic, DifferenceIsThatOfTwoAnalyses) {
  const auto layer = [](Arithmetic compute) {
    return Analyze(TwoLogits(), OneSample(), InArithmetic(Measure::Trace, compute)).layers.at(0);
  };
  const LayerSensitivity exact = layer(Arithmetic::Float32), rounded = layer(Arithmetic::BFloat16);
  EXPECT_FALSE(exact.difference_from_float32);
  ASSERT_TRUE(rounded.difference_from_float32);
  const double of_trace = std::abs(*rounded.weight.trace / *exact.weight.trace - 1);
  EXPECT_GT(of_trace, 1e-5);
  EXPECT_NEAR(rounded.difference_from_float32->trace, of_trace, 1e-6);
  EXPECT_NEAR(rounded.weight.trace_standard_error, of_trace * *rounded.weight.trace, 1e-6 * *rounded.weight.trace);

  const at::Tensor row = OnlyRow(Arithmetic::BFloat16), exact_row = OnlyRow(Arithmetic::Float32);
  const at::Tensor sign = row.dot(exact_row).sign();
  const double of_rows = ((sign * row - exact_row).norm() / exact_row.norm()).item<double>();
  EXPECT_GT(of_rows, 1e-3);
  EXPECT_LT(of_rows, 0.05);
  EXPECT_NEAR(rounded.difference_from_float32->rows, of_rows, 1e-5);
}

TEST(Arithmetic, DifferenceIsTheSameWhateverNeedsTheMatrix) {
  const auto difference = [](Measure measure) {
    return Analyze(TwoLogits(), OneSample(), InArithmetic(measure, Arithmetic::BFloat16))
        .layers.at(0)
        .difference_from_float32;
  };
  const auto of_trace = difference(Measure::Trace), of_fisher = difference(Measure::Fisher);
  ASSERT_TRUE(of_trace && of_fisher);
  EXPECT_EQ(of_fisher->rows, of_trace->rows);
  EXPECT_EQ(of_fisher->trace, of_trace->trace);
  EXPECT_FALSE(difference(Measure::LogitShift));
}

}  // namespace
}  // namespace bitplan::hessian
