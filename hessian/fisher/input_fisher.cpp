#include "fisher/input_fisher.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/gauss_newton.h"
#include "fisher/input_perturbation.h"
#include "fisher/sample_axis.h"
#include "gauss_newton/output_curvature.h"
#include "process/memory_limit.h"

namespace bitplan::hessian {

namespace {

constexpr std::int64_t kLargestFisherChunk = 64;  // larger ones leave the processor's caches

/// What the layers read in one chunk, and Σ_c of the squared gradients there; empty where no gradient comes.
struct SquaredGradients {
  std::vector<InputPerturbation::Variable> inputs;
  std::vector<at::Tensor> sums;
};

SquaredGradients BackwardPasses(const Network& network, const std::vector<int>& sites,
                                const std::vector<at::Tensor>& inputs, const at::Tensor& rows) {
  const at::AutoGradMode with_gradient(true);
  InputPerturbation perturbation(sites);
  const at::Tensor output = network.Forward(inputs, network.ParameterValues(), &perturbation);
  SquaredGradients result{perturbation.Variables(), {}};
  result.sums.resize(result.inputs.size());
  if (!output.requires_grad()) return result;
  std::vector<at::Tensor> variables;
  for (const InputPerturbation::Variable& input : result.inputs) variables.push_back(input.tensor);
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    const std::vector<at::Tensor> gradients = torch::autograd::grad(
        {output}, variables, {rows[row]}, /*retain_graph=*/row + 1 < rows.size(0), /*create_graph=*/false,
        /*allow_unused=*/true);
    const at::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;
      result.sums[i] =
          result.sums[i].defined() ? result.sums[i].addcmul_(gradients[i], gradients[i]) : gradients[i].square();
    }
  }
  return result;
}

/// Where the samples are in the tensors at some sites; empty: they cannot be told apart, runs are of one sample.
std::vector<std::int64_t> SampleAxes(const Network& network, const Dataset& data, const std::vector<int>& sites) {
  if (data.size() < 2) return {};
  const at::NoGradGuard no_gradient;
  const auto run = [&](std::int64_t samples) {
    InputPerturbation perturbation(sites);
    network.Forward(data.Get(0, samples, at::Device(network.device())).inputs, network.ParameterValues(),
                    &perturbation);
    return perturbation.Variables();
  };
  const auto of_one = run(1), of_two = run(2);
  if (of_one.size() != of_two.size()) return {};
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < of_one.size(); ++i)
    axes.push_back(SampleAxis(of_one[i].tensor.sizes(), of_two[i].tensor.sizes()));
  return std::count(axes.begin(), axes.end(), -1) > 0 ? std::vector<std::int64_t>() : axes;
}

/// Σ_i over each sample's elements, [n] float64; `axis` −1: all is of one sample.
at::Tensor SumOfSamples(const at::Tensor& values, std::int64_t axis) {
  if (axis < 0) return values.sum(at::kDouble).reshape({1});
  return values.movedim(axis, 0).flatten(1).sum(1, /*keepdim=*/false, at::kDouble);
}

}  // namespace

InputFisherPasses::InputFisherPasses(const Network& network, const Dataset& data, std::vector<InputChoice> choices,
                                     const ActivationStatistics* statistics, const InputFisherOptions& options)
    : network_(network), data_(data), choices_(std::move(choices)), ranges_(choices_.size()) {
  std::set<int> all_sites;
  for (std::size_t k = 0; k < choices_.size(); ++k)
    for (const int site : choices_[k].sites) {
      all_sites.insert(site);
      if (!choices_[k].format.HasScale())
        ranges_[k][site] = {};
      else if (statistics->Has(site))
        ranges_[k][site] = statistics->Range(site, choices_[k].format);
    }
  sites_.assign(all_sites.begin(), all_sites.end());
  const GaussNewtonOptions defaults;
  const auto outputs = [&](const std::vector<at::Tensor>& inputs) { return network_.Forward(inputs); };
  curvature_ = CurvatureInOutputs(outputs, at::Device(network_.device()), options.memory_bytes, data_,
                                  options.criterion, defaults.rows, defaults.cut, options.seed, options.progress);
  const at::NoGradGuard no_gradient;
  axes_ = SampleAxes(network_, data_, sites_);
  const std::vector<std::vector<std::int64_t>> first = curvature_->Chunks(1);
  if (first.empty()) return;
  const std::int64_t held = curvature_->bytes();
  const std::int64_t of_sample = process::BytesOfOneSample(options.memory_bytes, held, [&] { Run(first.front()); });
  chunks_ = curvature_->Chunks(std::clamp<std::int64_t>(
      (process::PlannedBytes(options.memory_bytes) - held) / std::max<std::int64_t>(1, of_sample), 1,
      axes_.empty() ? 1 : kLargestFisherChunk));
}

std::vector<double> InputFisherPasses::Run(const std::vector<std::int64_t>& chunk) const {
  const at::NoGradGuard no_gradient;
  const at::Device device(network_.device());
  const SquaredGradients squared =
      BackwardPasses(network_, sites_, data_.Get(chunk, device).inputs, curvature_->Rows(chunk).rows.to(device));
  std::vector<double> of_samples(choices_.size() * chunk.size());
  for (std::size_t k = 0; k < choices_.size(); ++k)
    for (std::size_t i = 0; i < squared.inputs.size(); ++i) {
      const auto range = ranges_[k].find(sites_[squared.inputs[i].slot]);
      if (!squared.sums[i].defined() || range == ranges_[k].end()) continue;
      const at::Tensor x = squared.inputs[i].value.detach();
      const at::Tensor change = FakeQuantize(x, choices_[k].format, range->second) - x;
      const at::Tensor sums = SumOfSamples(change.square_().mul_(squared.sums[i]), axes_.empty() ? -1 : axes_[i]).cpu();
      if (sums.numel() != std::ssize(chunk))
        throw Error(fmt::format("a layer reads {} rows for {} samples", sums.numel(), chunk.size()));
      for (std::size_t n = 0; n < chunk.size(); ++n)
        of_samples[k * chunk.size() + n] += sums.const_data_ptr<double>()[n] / 2;
    }
  return of_samples;
}

}  // namespace bitplan::hessian
