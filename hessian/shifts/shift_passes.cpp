#include "shifts/shift_passes.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "bitplan/error.h"
#include "process/memory_limit.h"
#include "shifts/local_changes.h"
#include "tuning.h"

namespace bitplan::hessian {

namespace {

bool IsLinear(Delta delta, const quantize::SingleChoice& choice, std::int64_t outputs) {
  if (delta != Delta::Auto) return delta == Delta::Linear;
  return !choice.activation && choice.format.bits > tuning::kCoarseBits && outputs <= tuning::kMostLinearOutputs;
}

void CheckFinite(const Network& network, const quantize::SingleChoice& choice, const at::Tensor& shift) {
  if (!shift.isfinite().all().item<bool>())
    throw Error(fmt::format("with layer '{}' at {} bits the network's output is not finite",
                            network.layers()[static_cast<std::size_t>(choice.layers.front())].name,
                            choice.format.bits));
}

/// Measures some of the choices on one chunk.
void MeasureShifts(const Network& network, const network::Tails& tails, const network::Tails::Prefix& prefix,
                   const quantize::SingleChoices& choices, const std::vector<std::size_t>& which,
                   const std::function<void(std::size_t, const at::Tensor&)>& use) {
  for (const std::size_t i : which) {
    const QuantizedState state = choices.State(i);
    quantize::QuantizingProbe probe(state);
    const at::Tensor output = tails.Run(prefix, tails.Earliest(choices[i].layers), state.parameters, &probe);
    const at::Tensor shift = (output - prefix.output()).to(at::kCPU, at::kFloat);
    CheckFinite(network, choices[i], shift);
    use(i, shift);
  }
}

/// J δ for some choices on one chunk.
void Linearize(const Network& network, const GradientPass& pass, const std::vector<at::Tensor>& inputs,
               const at::Tensor& output, const quantize::SingleChoices& choices, const std::vector<std::size_t>& which,
               const std::function<void(std::size_t, const at::Tensor&)>& use) {
  const std::int64_t samples = output.size(0), outputs = output.numel() / samples;
  std::vector<std::int64_t> shape = output.sizes().vec();
  shape.insert(shape.begin(), outputs);
  const at::Tensor basis =
      torch::eye(outputs, output.options()).unsqueeze(1).expand({outputs, samples, outputs}).reshape(shape);
  const auto runs = pass.Run(inputs, basis);
  const auto add = [&](const UseRun& run, const at::Tensor& changes,
                       at::Tensor& sum) {  // changes: [n, choices, elements]
    const at::Tensor product = at::bmm(changes, run.gradients.flatten(2).transpose(1, 2));
    sum = sum.defined() ? sum.add_(product) : product;
  };
  const auto give = [&](std::size_t i, const at::Tensor& sum) {
    const at::Tensor given = sum.defined() ? sum.reshape(output.sizes()) : at::zeros_like(output);
    const at::Tensor shift = given.to(at::kCPU, at::kFloat).contiguous();
    CheckFinite(network, choices[i], shift);
    use(i, shift);
  };
  std::map<int, std::vector<std::size_t>> of_weights;  // the choices of each layer's weight are taken together
  for (const std::size_t i : which) {
    if (!choices[i].activation) {
      of_weights[choices[i].layers.front()].push_back(i);
      continue;
    }
    const QuantizedState state = choices.State(i);
    at::Tensor sum;
    for (const int layer : choices[i].layers)
      for (const UseRun& run : runs[static_cast<std::size_t>(layer)])
        add(run, InputChange(network, state, layer, run), sum);
    give(i, sum);
  }
  for (const auto& [layer, of_layer] : of_weights) {
    const WeightChanges changes(network, choices, of_layer);
    at::Tensor sum;
    for (const UseRun& run : runs[static_cast<std::size_t>(layer)]) add(run, changes.At(run), sum);
    for (std::size_t k = 0; k < of_layer.size(); ++k)
      give(of_layer[k], sum.defined() ? sum.select(1, static_cast<std::int64_t>(k)) : at::Tensor());
  }
}

}  // namespace

ShiftPasses::ShiftPasses(const Network& network, const Dataset& data, const quantize::SingleChoices& choices,
                         const ShiftPassOptions& options)
    : network_(network),
      data_(data),
      choices_(choices),
      options_(options),
      layout_(network, data.Get(0, 1, at::Device(network.device())).inputs),
      tails_(network) {
  const at::NoGradGuard no_gradient;
  const at::Device device(network.device());
  if (options.delta != Delta::Measured) {
    std::vector<int> layers(network.layers().size());
    std::iota(layers.begin(), layers.end(), 0);
    pass_.emplace(network, layers, data.Get(0, std::min<std::int64_t>(2, data.size()), device).inputs);
  }
  output_of_one_ = network.Forward(data.Get(0, 1, device).inputs).to(at::kCPU, at::kFloat);
  const std::int64_t outputs = output_of_one_.numel();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const bool products = pass_ && std::all_of(choices[i].layers.begin(), choices[i].layers.end(), [&](int layer) {
                            return pass_->HasProducts(static_cast<std::size_t>(layer));
                          });
    (products && IsLinear(options.delta, choices[i], outputs) ? linear_ : measured_).push_back(i);
  }
  if (linear_.empty()) pass_.reset();

  // Of the measured choices the one whose pass is the longest holds the most.
  std::vector<std::size_t> longest;
  for (const std::size_t i : measured_) {
    std::vector<int> both = choices[i].layers;
    if (!longest.empty()) both.push_back(tails_.Earliest(choices[longest.front()].layers));
    if (longest.empty() || tails_.Earliest(both) != both.back()) longest = {i};
  }
  const std::int64_t most = std::min(data.size(), pass_ && pass_->OneSampleOnly() ? 1 : tuning::kLargestShiftChunk);
  chunk_ = process::SamplesAPass(
      most, options.memory_bytes, 0,
      [&](std::int64_t samples) {
        RunSome(0, samples, longest, linear_, [](const at::Tensor&, std::size_t, const at::Tensor&) {});
      },
      process::PlannedBytes(options.memory_bytes) / 2);  // trials of other sizes leave holes as large as themselves
}

void ShiftPasses::Run(std::int64_t begin, std::int64_t end, const ShiftConsumer& use) const {
  const auto steps = static_cast<std::int64_t>(choices_.size());
  std::int64_t done = 0;
  RunSome(begin, end, measured_, linear_, [&](const at::Tensor& logits, std::size_t choice, const at::Tensor& shift) {
    use(logits, choice, shift);
    ++done;
    Report(options_.progress, "logit shifts", begin * steps + (end - begin) * done, data_.size() * steps);
  });
}

void ShiftPasses::RunSome(std::int64_t begin, std::int64_t end, const std::vector<std::size_t>& measured,
                          const std::vector<std::size_t>& linear, const ShiftConsumer& use) const {
  const at::NoGradGuard no_gradient;
  const std::vector<at::Tensor> inputs = layout_(data_.Get(begin, end, at::Device(network_.device())).inputs);
  // What is kept is of use to measured choices alone.
  const std::optional<network::Tails::Prefix> prefix =
      measured.empty() ? std::nullopt : std::optional(tails_.Run(inputs));
  const at::Tensor output = prefix ? prefix->output() : network_.Forward(inputs);
  if (!output.isfinite().all().item<bool>())
    throw Error(fmt::format("the network's output is not finite for samples {} … {}", begin, end - 1));
  const at::Tensor logits = output.to(at::kCPU, at::kFloat);
  const auto with_logits = [&](std::size_t choice, const at::Tensor& shift) { use(logits, choice, shift); };
  if (prefix) MeasureShifts(network_, tails_, *prefix, choices_, measured, with_logits);
  if (!linear.empty()) Linearize(network_, *pass_, inputs, output, choices_, linear, with_logits);
}

}  // namespace bitplan::hessian
