#include "gauss_newton/module_rows.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "curvature/random_vector.h"
#include "tuning.h"

namespace bitplan::hessian {

namespace {

/// The Hessian of every sample's loss in its own output.
class OutputHessians {
 public:
  OutputHessians(const Criterion& criterion, const at::Tensor& outputs, const at::Tensor& labels) {
    const at::AutoGradMode with_gradient(true);
    z_ = outputs.detach().to(at::kDouble).requires_grad_();
    const at::Tensor losses = SampleLosses(criterion, z_, z_.detach(), labels);
    if (!losses.requires_grad()) return;
    gradient_ = torch::autograd::grad({losses.sum()}, {z_}, {}, /*retain_graph=*/true, /*create_graph=*/true,
                                      /*allow_unused=*/true)[0];
  }

  /// Hₙ vₙ of every sample, for v [n, D].
  at::Tensor Times(const at::Tensor& v) const {
    if (!gradient_.defined() || !gradient_.requires_grad()) return at::zeros_like(v);
    const at::AutoGradMode with_gradient(true);
    const at::Tensor product = torch::autograd::grad({gradient_}, {z_}, {v.view(z_.sizes())}, /*retain_graph=*/true,
                                                     /*create_graph=*/false, /*allow_unused=*/true)[0];
    return product.defined() ? product.detach().reshape(v.sizes()) : at::zeros_like(v);
  }

 private:
  at::Tensor z_, gradient_;
};

/// f(H) applied to v [n, D], f the square root of what is above 0, from Krylov spaces of `steps` dimensions.
at::Tensor RootTimes(const OutputHessians& hessians, const at::Tensor& v, std::int64_t steps) {
  const auto dot = [](const at::Tensor& a, const at::Tensor& b) { return (a * b).sum(-1, /*keepdim=*/true); };
  const at::Tensor length = v.norm(2, -1, /*keepdim=*/true);
  std::vector<at::Tensor> basis{v / length};
  const at::Tensor tridiagonal = torch::zeros({v.size(0), steps, steps}, torch::kDouble);
  for (std::int64_t j = 0; j < steps; ++j) {
    at::Tensor next = hessians.Times(basis.back());
    tridiagonal.select(1, j).select(1, j).copy_(dot(next, basis.back()).squeeze(-1));
    for (int again = 0; again < 2; ++again)
      for (const at::Tensor& each : basis) next = next - dot(next, each) * each;
    if (j + 1 == steps) break;
    const at::Tensor rest = next.norm(2, -1, /*keepdim=*/true);
    const at::Tensor scale = tridiagonal.flatten(1).norm(2, -1, /*keepdim=*/true);
    const at::Tensor goes_on = rest.gt(tuning::kShareOfRounding * scale);  // else the space is complete
    const at::Tensor coupling = at::where(goes_on, rest, at::zeros_like(rest)).squeeze(-1);
    tridiagonal.select(1, j).select(1, j + 1).copy_(coupling);
    tridiagonal.select(1, j + 1).select(1, j).copy_(coupling);
    basis.push_back(at::where(goes_on, next / rest, at::zeros_like(next)));
  }
  const auto [values, vectors] = at::linalg_eigh(tridiagonal);
  const at::Tensor first = vectors.select(1, 0);  // e₁ᵀ of each eigenvector
  const at::Tensor weights = at::matmul(vectors, (values.clamp_min(0).sqrt() * first).unsqueeze(-1)).squeeze(-1);
  at::Tensor result = at::zeros_like(v);
  for (std::int64_t j = 0; j < steps; ++j)
    result += weights.select(1, j).unsqueeze(-1) * basis[static_cast<std::size_t>(j)];
  return result * length;
}

}  // namespace

std::pair<at::Tensor, at::Tensor> AllModuleRows(const Criterion& criterion, const at::Tensor& outputs,
                                                const at::Tensor& labels) {
  const OutputHessians hessians(criterion, outputs, labels);
  const std::int64_t samples = outputs.size(0), count = outputs.numel() / samples;
  const at::Tensor matrix = torch::zeros({samples, count, count}, torch::kDouble);
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor unit = torch::zeros({samples, count}, torch::kDouble);
    unit.select(1, i).fill_(1);
    matrix.select(1, i).copy_(hessians.Times(unit));
  }
  const auto [ascending, vectors] = at::linalg_eigh((matrix + matrix.transpose(1, 2)) / 2);
  const at::Tensor values = ascending.clamp_min(0).flip(1);
  return {vectors.transpose(1, 2).flip(1) * values.sqrt().unsqueeze(-1), values};
}

at::Tensor DrawnModuleRows(const Criterion& criterion, const at::Tensor& output, const at::Tensor& label,
                           std::int64_t count, std::mt19937_64& generator) {
  const std::int64_t outputs = output.numel();
  const std::int64_t steps = std::min(tuning::kRootSteps, outputs);
  const std::int64_t at_once = std::clamp<std::int64_t>(tuning::kRootNumbers / (steps * outputs), 1, count);
  const at::Tensor signs = Rademacher(torch::empty({count, outputs}, torch::kDouble), generator);
  std::vector<at::Tensor> rows;
  for (const at::Tensor& some : signs.split(at_once)) {
    const auto repeated = [&](const at::Tensor& of_sample) {
      return of_sample.defined() ? at::cat(std::vector<at::Tensor>(static_cast<std::size_t>(some.size(0)), of_sample))
                                 : of_sample;
    };
    rows.push_back(RootTimes(OutputHessians(criterion, repeated(output), repeated(label)), some, steps));
  }
  return at::cat(rows) / std::sqrt(static_cast<double>(count));
}

}  // namespace bitplan::hessian
