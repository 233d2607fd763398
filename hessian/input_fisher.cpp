#include "hessian/input_fisher.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <optional>
#include <set>

#include "bitplan/error.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "hessian/input_perturbation.h"
#include "hessian/output_curvature.h"
#include "hessian/resolve_loss.h"
#include "hessian/sample_axis.h"
#include "hessian/shift_figures.h"

namespace bitplan {

namespace {

constexpr std::int64_t kLargestChunk = 64;  // larger ones leave the processor's caches

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
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;
      result.sums[i] =
          result.sums[i].defined() ? result.sums[i].addcmul_(gradients[i], gradients[i]) : gradients[i].square();
    }
  }
  return result;
}

/// What the tensors at some sites look like: where their samples are, and what one sample of all takes.
struct InputLayout {
  std::vector<std::int64_t> axes;  // of each tensor of a run; empty: they cannot be told apart, runs are of one sample
  std::int64_t bytes = 0;
};

InputLayout FindLayout(const Network& network, const Dataset& data, const std::vector<int>& sites) {
  const torch::NoGradGuard no_gradient;
  const at::Device device(network.device());
  const auto run = [&](std::int64_t samples) {
    InputPerturbation perturbation(sites);
    network.Forward(data.Get(0, samples, device).inputs, network.ParameterValues(), &perturbation);
    return perturbation.Variables();
  };
  InputLayout layout;
  const auto of_one = run(1);
  for (const auto& input : of_one) layout.bytes += static_cast<std::int64_t>(input.tensor.nbytes());
  if (data.size() < 2) return layout;
  const auto of_two = run(2);
  if (of_one.size() != of_two.size()) return layout;
  for (std::size_t i = 0; i < of_one.size(); ++i)
    layout.axes.push_back(SampleAxis(of_one[i].tensor.sizes(), of_two[i].tensor.sizes()));
  if (std::count(layout.axes.begin(), layout.axes.end(), -1) > 0) layout.axes.clear();
  return layout;
}

std::int64_t ChunkSize(const InputLayout& layout, std::int64_t memory_bytes) {
  // What the graph keeps (about three times the layers' inputs and outputs), the gradients and the sum of their
  // squares.
  const std::int64_t of_sample = std::max<std::int64_t>(1, 8 * layout.bytes);
  if (of_sample > memory_bytes)
    throw Error(fmt::format("the memory limit is {:.1f} MiB, and one sample takes {:.1f} MiB",
                            static_cast<double>(memory_bytes) / (1 << 20), static_cast<double>(of_sample) / (1 << 20)));
  return std::clamp<std::int64_t>(memory_bytes / of_sample, 1, layout.axes.empty() ? 1 : kLargestChunk);
}

/// Σ_i over each sample's elements, [n] float64; `axis` −1: all is of one sample.
at::Tensor SumOfSamples(const at::Tensor& values, std::int64_t axis) {
  if (axis < 0) return values.sum(at::kDouble).reshape({1});
  return values.movedim(axis, 0).flatten(1).sum(1, /*keepdim=*/false, at::kDouble);
}

}  // namespace

std::vector<Estimate> InputFisher(const Network& network, const Dataset& data, const std::vector<InputChoice>& choices,
                                  const AnalyzeOptions& options) {
  std::set<int> all_sites;
  for (const InputChoice& choice : choices) all_sites.insert(choice.sites.begin(), choice.sites.end());
  const std::vector<int> sites(all_sites.begin(), all_sites.end());
  const bool ranges =
      std::any_of(choices.begin(), choices.end(), [](const InputChoice& choice) { return choice.format.IsInteger(); });
  std::optional<ActivationStatistics> statistics;
  if (ranges) statistics = ActivationStatistics::Collect(network, data, options.batch_size, options.progress);
  const GaussNewtonOptions defaults;
  const auto outputs = [&](const std::vector<at::Tensor>& inputs) { return network.Forward(inputs); };
  const LossCurvature curvature = CurvatureInOutputs(outputs, at::Device(network.device()), options.memory_bytes, data,
                                                     ResolveLoss(options.loss, data), options.temperature, defaults.rows, defaults.cut,
                                                     options.seed, options.progress);
  const InputLayout layout = FindLayout(network, data, sites);
  const std::vector<std::vector<std::int64_t>> chunks = curvature.Chunks(ChunkSize(layout, options.memory_bytes));

  const torch::NoGradGuard no_gradient;
  const at::Device device(network.device());
  std::vector<std::vector<double>> of_samples(choices.size(),
                                              std::vector<double>(static_cast<std::size_t>(data.size())));
  std::int64_t done = 0;
  for (const std::vector<std::int64_t>& samples : chunks) {
    const SquaredGradients squared =
        BackwardPasses(network, sites, data.Get(samples, device).inputs, curvature.Rows(samples).rows.to(device));
    for (std::size_t k = 0; k < choices.size(); ++k)
      for (std::size_t i = 0; i < squared.inputs.size(); ++i) {
        const int site = sites[squared.inputs[i].slot];
        if (!squared.sums[i].defined() ||
            std::find(choices[k].sites.begin(), choices[k].sites.end(), site) == choices[k].sites.end())
          continue;
        const Format& format = choices[k].format;
        const at::Tensor x = squared.inputs[i].value.detach();
        const at::Tensor change =
            FakeQuantize(x, format, format.IsInteger() ? statistics->Range(site, format) : ActivationRange{}) - x;
        const at::Tensor sums =
            SumOfSamples(change.square_().mul_(squared.sums[i]), layout.axes.empty() ? -1 : layout.axes[i]).cpu();
        for (std::size_t n = 0; n < samples.size(); ++n)
          of_samples[k][static_cast<std::size_t>(samples[n])] += sums.const_data_ptr<double>()[n] / 2;
      }
    Report(options.progress, "input fisher", ++done, static_cast<std::int64_t>(chunks.size()));
  }
  std::vector<Estimate> figures;
  for (const std::vector<double>& values : of_samples) figures.push_back(MeanOfSamples(values));
  return figures;
}

}  // namespace bitplan
