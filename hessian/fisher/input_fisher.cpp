#include "fisher/input_fisher.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "bitplan/error.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "fisher/input_perturbation.h"
#include "fisher/sample_axis.h"
#include "gauss_newton/output_curvature.h"
#include "process/memory_limit.h"
#include "shifts/shift_figures.h"

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

/// The quantizer of a choice at each of its sites that a sample reaches.
using Ranges = std::map<int, ActivationRange>;

std::vector<Ranges> RangesOf(const Network& network, const Dataset& data, const std::vector<InputChoice>& choices,
                             const AnalyzeOptions& options) {
  std::vector<Ranges> ranges(choices.size());
  std::optional<ActivationStatistics> statistics;
  for (std::size_t k = 0; k < choices.size(); ++k)
    for (const int site : choices[k].sites) {
      const Format& format = choices[k].format;
      if (format.HasScale() && !statistics)
        statistics =
            ActivationStatistics::Collect(network, data, {options.batch_size, options.memory_bytes}, options.progress);
      if (!format.HasScale())
        ranges[k][site] = {};
      else if (statistics->Has(site))
        ranges[k][site] = statistics->Range(site, format);
    }
  return ranges;
}

}  // namespace

std::vector<Estimate> InputFisher(const Network& network, const Dataset& data, const std::vector<InputChoice>& choices,
                                  const AnalyzeOptions& options) {
  std::set<int> all_sites;
  for (const InputChoice& choice : choices) all_sites.insert(choice.sites.begin(), choice.sites.end());
  const std::vector<int> sites(all_sites.begin(), all_sites.end());
  const std::vector<Ranges> ranges = RangesOf(network, data, choices, options);
  const GaussNewtonOptions defaults;
  const auto outputs = [&](const std::vector<at::Tensor>& inputs) { return network.Forward(inputs); };
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  const LossCurvature curvature =
      CurvatureInOutputs(outputs, at::Device(network.device()), options.memory_bytes, data, criterion, defaults.rows,
                         defaults.cut, options.seed, options.progress);
  const at::NoGradGuard no_gradient;
  const std::vector<std::int64_t> axes = SampleAxes(network, data, sites);
  std::vector<std::vector<double>> of_samples(choices.size(),
                                              std::vector<double>(static_cast<std::size_t>(data.size())));
  const auto add = [&](const std::vector<std::int64_t>& samples) {
    const at::Device device(network.device());
    const SquaredGradients squared =
        BackwardPasses(network, sites, data.Get(samples, device).inputs, curvature.Rows(samples).rows.to(device));
    for (std::size_t k = 0; k < choices.size(); ++k)
      for (std::size_t i = 0; i < squared.inputs.size(); ++i) {
        const auto range = ranges[k].find(sites[squared.inputs[i].slot]);
        if (!squared.sums[i].defined() || range == ranges[k].end()) continue;
        const at::Tensor x = squared.inputs[i].value.detach();
        const at::Tensor change = FakeQuantize(x, choices[k].format, range->second) - x;
        const at::Tensor sums = SumOfSamples(change.square_().mul_(squared.sums[i]), axes.empty() ? -1 : axes[i]).cpu();
        if (sums.numel() != std::ssize(samples))
          throw Error(fmt::format("a layer reads {} rows for {} samples", sums.numel(), samples.size()));
        for (std::size_t n = 0; n < samples.size(); ++n)
          of_samples[k][static_cast<std::size_t>(samples[n])] += sums.const_data_ptr<double>()[n] / 2;
      }
  };

  const std::vector<std::vector<std::int64_t>> first = curvature.Chunks(1);
  if (!first.empty()) {
    const std::int64_t held = curvature.bytes();
    const std::int64_t of_sample = process::BytesOfOneSample(options.memory_bytes, held, [&] { add(first.front()); });
    for (std::vector<double>& values : of_samples) std::fill(values.begin(), values.end(), 0);
    const std::int64_t largest = std::clamp<std::int64_t>(
        (process::PlannedBytes(options.memory_bytes) - held) / std::max<std::int64_t>(1, of_sample), 1,
        axes.empty() ? 1 : kLargestFisherChunk);
    const std::vector<std::vector<std::int64_t>> chunks = curvature.Chunks(largest);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      add(chunks[i]);
      Report(options.progress, "input fisher", static_cast<std::int64_t>(i + 1),
             static_cast<std::int64_t>(chunks.size()));
    }
  }
  std::vector<Estimate> figures;
  for (const std::vector<double>& values : of_samples) figures.push_back(MeanOfSamples(values));
  return figures;
}

}  // namespace bitplan::hessian
