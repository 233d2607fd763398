#include "gauss_newton/layer_rows.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>

namespace bitplan::hessian {

namespace {

/// The output of a run as [n, elements of a sample].
at::Tensor BySample(const UseRun& run, const at::Tensor& y) {
  return run.y_axis < 0 ? y.reshape({1, -1}) : y.movedim(run.y_axis, 0).flatten(1);
}

/// Values [n, elements of a sample] in the shape of the output.
at::Tensor AsOutput(const UseRun& run, const at::Tensor& values) {
  std::vector<std::int64_t> shape = run.gradients.sizes().slice(2).vec();
  if (run.y_axis < 0) return values.reshape(shape);
  shape.insert(shape.begin(), values.size(0));
  return values.reshape(shape).movedim(0, run.y_axis);
}

at::Tensor FlatGradients(const UseRun& run) { return run.gradients.flatten(2).to(at::kFloat); }  // [n, R, elements]

at::Tensor Product(const UseRun& run, const at::Tensor& v) { return (*run.product)(run.x.to(at::kFloat), v); }

/// Of y = x Wᵀ: Σ over positions of gᵀ x.
at::Tensor LinearGradients(const UseRun& run) {
  const at::Tensor g = run.gradients.to(at::kFloat), x = run.x.to(at::kFloat);
  const std::int64_t n = g.size(0), r = g.size(1), in = x.size(-1), out = g.size(-1);
  const at::Tensor rows = g.reshape({n, r, -1, out}).transpose(2, 3).reshape({n, r * out, -1});
  return at::bmm(rows, x.reshape({n, -1, in})).view({n, r, out, in});
}

/// Of a convolution: one in which every sample is a group of channels has as its weight's gradient all of the samples'
/// gradients.
at::Tensor ConvolutionGradients(const UseRun& run, const at::Tensor& weight) {
  const network::Sliding& sliding = *run.product->sliding();
  const std::int64_t n = run.x.size(0), r = run.gradients.size(1), groups = sliding.groups,
                     out = weight.size(0) / groups;
  std::vector<std::int64_t> of_output = run.gradients.sizes().slice(3).vec(), of_input = run.x.sizes().slice(2).vec();
  std::vector<std::int64_t> per_group = of_output;
  per_group.insert(per_group.begin(), {n, r, groups, out});
  of_output.insert(of_output.begin(), {1, n * groups * r * out});
  of_input.insert(of_input.begin(), {1, n * run.x.size(1)});
  std::vector<std::int64_t> kernel = weight.sizes().slice(1).vec(), shape = weight.sizes().vec(), split = kernel;
  kernel.insert(kernel.begin(), n * groups * r * out);
  split.insert(split.begin(), {n, groups, r, out});
  shape.insert(shape.begin(), {n, r});
  const at::Tensor g = run.gradients.to(at::kFloat).reshape(per_group).transpose(1, 2).reshape(of_output);
  const std::vector<std::int64_t> no_output_padding(sliding.stride.size(), 0);
  const at::Tensor gradient = std::get<1>(at::convolution_backward(
      g, run.x.to(at::kFloat).reshape(of_input), at::empty(kernel, weight.options()), c10::nullopt, sliding.stride,
      sliding.padding, sliding.dilation, /*transposed=*/false, no_output_padding, n * groups, {false, true, false}));
  return gradient.view(split).transpose(1, 2).reshape(shape);
}

/// The same as a matrix product with the patches that the kernel saw; pays where the patches are fewer than the rows'
/// channels.
at::Tensor PatchGradients(const UseRun& run, const at::Tensor& weight) {
  const network::Sliding& sliding = *run.product->sliding();
  const at::Tensor patches =
      at::im2col(run.x.to(at::kFloat), weight.sizes().slice(2), sliding.dilation, sliding.padding, sliding.stride);
  const at::Tensor g = run.gradients.to(at::kFloat);
  const std::int64_t n = g.size(0), r = g.size(1);
  std::vector<std::int64_t> shape = weight.sizes().vec();
  shape.insert(shape.begin(), {n, r});
  return at::bmm(g.reshape({n, r * g.size(2), -1}), patches.transpose(1, 2)).view(shape);
}

bool PatchesPay(const UseRun& run, const at::Tensor& weight) {
  if (weight.dim() != 4 || run.product->sliding()->groups != 1) return false;
  const std::int64_t channels = run.gradients.size(1) * weight.size(0),
                     patches = run.gradients.size(3) * run.gradients.size(4);
  return channels >= 2 * patches;
}

/// Any product, sample by sample and row by row.
at::Tensor GradientsByAutograd(const UseRun& run, const at::Tensor& weight) {
  const at::AutoGradMode with_gradient(true);
  const std::int64_t n = run.gradients.size(0), r = run.gradients.size(1);
  std::vector<at::Tensor> all;
  for (std::int64_t i = 0; i < n; ++i) {
    const at::Tensor variable = at::zeros_like(weight).requires_grad_();
    const at::Tensor x = (run.x_axis < 0 ? run.x : run.x.narrow(run.x_axis, i, 1)).to(at::kFloat);
    const at::Tensor y = (*run.product)(x, variable);
    for (std::int64_t row = 0; row < r; ++row) {
      const at::Tensor g = AsOutput(run, run.gradients[i][row].reshape({1, -1})).to(at::kFloat);
      all.push_back(torch::autograd::grad({y}, {variable}, {g}, /*retain_graph=*/true)[0]);
    }
  }
  std::vector<std::int64_t> shape = weight.sizes().vec();
  shape.insert(shape.begin(), {n, r});
  return at::stack(all).view(shape);
}

at::Tensor GradientsOf(const UseRun& run, const at::Tensor& weight) {
  const bool first = run.x_axis == 0 && run.y_axis == 0;
  if (first && run.product->IsLinear()) return LinearGradients(run);
  if (first && run.product->sliding())
    return PatchesPay(run, weight) ? PatchGradients(run, weight) : ConvolutionGradients(run, weight);
  return GradientsByAutograd(run, weight);
}

}  // namespace

LayerRows LayerRows::FromGradients(at::Tensor gradients) {
  LayerRows rows;
  rows.weight_ = gradients[0][0];
  rows.gradients_ = std::move(gradients);
  return rows;
}

LayerRows LayerRows::FromRuns(std::vector<UseRun> runs, at::Tensor weight) {
  LayerRows rows;
  rows.runs_ = std::move(runs);
  rows.weight_ = std::move(weight);
  return rows;
}

at::Tensor LayerRows::Times(const at::Tensor& v) const {
  if (gradients_.defined())
    return at::mv(gradients_.flatten(2).flatten(0, 1), v.flatten()).view({gradients_.size(0), gradients_.size(1)});
  at::Tensor sum;
  for (const UseRun& run : runs_) {
    const at::Tensor y = BySample(run, Product(run, v));
    const at::Tensor dot = at::bmm(FlatGradients(run), y.unsqueeze(2)).squeeze(2);
    sum = sum.defined() ? sum + dot : dot;
  }
  return sum;
}

at::Tensor LayerRows::TransposedTimes(const at::Tensor& u) const {
  if (gradients_.defined()) return at::mv(gradients_.flatten(2).flatten(0, 1).t(), u.flatten()).view_as(weight_);
  const at::AutoGradMode with_gradient(true);
  at::Tensor sum;
  for (const UseRun& run : runs_) {
    const at::Tensor variable = at::zeros_like(weight_).requires_grad_();
    const at::Tensor combined = at::bmm(u.unsqueeze(1), FlatGradients(run)).squeeze(1);
    const at::Tensor term = torch::autograd::grad({Product(run, variable)}, {variable}, {AsOutput(run, combined)})[0];
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

at::Tensor LayerRows::Squared(const at::Tensor& v) const {
  if (gradients_.defined() || runs_.size() > 1) return TransposedTimes(Times(v));
  const UseRun& run = runs_.front();
  const at::AutoGradMode with_gradient(true);
  const at::Tensor variable = v.detach().clone().requires_grad_();
  const at::Tensor y = Product(run, variable);  // serves both directions
  const at::Tensor g = FlatGradients(run);
  const at::Tensor u = at::bmm(g, BySample(run, y.detach()).unsqueeze(2));
  const at::Tensor combined = at::bmm(u.transpose(1, 2), g).squeeze(1);
  return torch::autograd::grad({y}, {variable}, {AsOutput(run, combined)})[0];
}

at::Tensor LayerRows::Gradients() const {
  if (gradients_.defined()) return gradients_;
  at::Tensor sum;
  for (const UseRun& run : runs_) {
    const at::Tensor term = GradientsOf(run, weight_);
    sum = sum.defined() ? sum.add_(term) : term;
  }
  return sum;
}

LayerRows LayerRows::Part(std::int64_t first_sample, std::int64_t samples, std::int64_t first_row,
                          std::int64_t rows) const {
  const auto part = [&](const at::Tensor& all) {
    return all.narrow(0, first_sample, samples).narrow(1, first_row, rows);
  };
  LayerRows result = *this;
  if (gradients_.defined()) result.gradients_ = part(gradients_);
  for (UseRun& run : result.runs_) {
    if (run.x_axis >= 0) run.x = run.x.narrow(run.x_axis, first_sample, samples);
    run.gradients = part(run.gradients);
  }
  return result;
}

std::int64_t LayerRows::bytes_of_inputs() const {
  std::int64_t bytes = 0;
  for (const UseRun& run : runs_) bytes += static_cast<std::int64_t>(run.x.nbytes());
  return bytes;
}

std::int64_t LayerRows::bytes_of_gradients() const {
  if (gradients_.defined()) return static_cast<std::int64_t>(gradients_.nbytes());
  std::int64_t bytes = 0;
  for (const UseRun& run : runs_) bytes += static_cast<std::int64_t>(run.gradients.nbytes());
  return bytes;
}

double LayerRows::multiplications() const {
  double count = 0;  // each weight meets as many elements of the output as there are for a channel
  for (const UseRun& run : runs_)
    count += static_cast<double>(run.gradients.numel() / run.gradients.size(1)) *
             static_cast<double>(weight_.numel() / weight_.size(0));
  return count;
}

}  // namespace bitplan::hessian
