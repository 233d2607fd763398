#include "bitplan/analyze.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "bitplan/version.h"
#include "hessian/activation_errors.h"
#include "hessian/layer_curvature.h"
#include "hessian/resolve_loss.h"
#include "hessian/variable_slots.h"

namespace bitplan {

namespace {

void ValidateWidths(const std::string& option, const std::vector<int>& widths) {
  if (widths.empty()) throw Error(fmt::format("{} is empty, needs at least one width", option));
  for (const int bits : widths) {
    if ((bits >= 2 && bits <= 8) || bits == 16 || bits == 32) continue;
    throw Error(fmt::format("{} holds {}, widths are 2 … 8, 16 and 32", option, bits));
  }
}

std::vector<int> Ascending(const std::vector<int>& widths) {
  const std::set<int> sorted(widths.begin(), widths.end());
  return {sorted.begin(), sorted.end()};
}

bool NeedsSecondDerivatives(const AnalyzeOptions& options) {
  return std::any_of(options.measures.begin(), options.measures.end(),
                     [](Measure measure) { return measure == Measure::Eigenvalue || measure == Measure::Trace; });
}

bool QuantizesActivations(const AnalyzeOptions& options) {
  return std::any_of(options.activation_bits.begin(), options.activation_bits.end(),
                     [](int bits) { return bits < 32; });
}

Perturbation MakePerturbation(int bits, double squared_error, double squared_norm) {
  return {bits, squared_error, squared_norm > 0 ? squared_error / squared_norm : 0};
}

std::vector<Perturbation> WeightChoices(const at::Tensor& weight, int channel_axis, const std::vector<int>& widths,
                                        const Format& format) {
  const double squared_norm = weight.square().sum(torch::kDouble).item<double>();
  std::vector<Perturbation> choices;
  for (const int bits : widths) {
    const at::Tensor quantized = QuantizeWeight(weight, format.WithBits(bits), channel_axis).value;
    choices.push_back(
        MakePerturbation(bits, (quantized - weight).square().sum(torch::kDouble).item<double>(), squared_norm));
  }
  return choices;
}

std::vector<Perturbation> ActivationChoices(const InputError& error, const std::vector<int>& widths) {
  if (error.elements == 0) return {Perturbation{}};
  std::vector<Perturbation> choices;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    choices.push_back(MakePerturbation(widths[i], error.squared_errors[i], error.squared_norm));
  }
  return choices;
}

DataSource SourceOf(const Dataset& data) {
  DataSource source;
  if (!data.sha256().empty()) source.spec = data.source();
  source.sha256 = data.sha256();
  source.samples = data.size();
  source.mean = data.mean();
  source.std = data.std();
  return source;
}

std::vector<Perturbation> Unmeasured(const std::vector<int>& widths) {
  std::vector<Perturbation> choices;
  for (const int bits : Ascending(widths)) choices.push_back({bits, 0, 0});
  return choices;
}

std::vector<LayerSensitivity> LayerFacts(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  const Batch sample = data.Get(0, 1, at::Device(network.device()));
  const NetworkProfile profile = ProfileNetwork(network, sample.inputs);
  std::vector<LayerSensitivity> facts;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    LayerSensitivity& fact = facts.emplace_back();
    fact.name = layer.name;
    fact.op = layer.op;
    fact.weight_count = network.Weight(layer).numel();
    fact.weight.elements = fact.weight_count;
    fact.macs = profile.layers[i].macs;
    fact.input_count = InputSites(layer).empty() ? 0 : profile.layers[i].input_count;
    fact.tied_group = layer.tied_group;
    fact.weight_choices = Unmeasured(options.weight_bits);
    fact.activation_choices = fact.input_count > 0 ? Unmeasured(options.activation_bits) : std::vector{Perturbation{}};
  }
  return facts;
}

void AddWeightChoices(const Network& network, const AnalyzeOptions& options, std::vector<LayerSensitivity>& layers) {
  const std::vector<int> widths = Ascending(options.weight_bits);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = network.layers()[i];
    layers[i].weight_choices = WeightChoices(network.Weight(layer), layer.channel_axis, widths, options.weight_format);
    Report(options.progress, "weight errors", static_cast<std::int64_t>(i + 1),
           static_cast<std::int64_t>(layers.size()));
  }
}

/// Returns the elements of each layer's input for one sample.
std::vector<std::int64_t> AddActivationChoices(const Network& network, const Dataset& data,
                                               const AnalyzeOptions& options, std::vector<LayerSensitivity>& layers) {
  const std::vector<int> widths = Ascending(options.activation_bits);
  const std::vector<InputError> errors =
      MeasureInputErrors(network, data, widths, options.activation_format, options.batch_size, options.progress);
  std::vector<std::int64_t> elements;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].activation_choices = ActivationChoices(errors[i], widths);
    layers[i].activation.elements = errors[i].elements;
    elements.push_back(errors[i].elements);
  }
  return elements;
}

void AddCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                   const std::vector<std::int64_t>& input_elements, std::vector<LayerSensitivity>& layers) {
  const std::vector<Curvature> weights = WeightCurvatures(loss, options);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].weight = weights[i];
  if (input_elements.empty()) return;
  const std::vector<Curvature> inputs = InputCurvatures(loss, options, input_elements);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].activation = inputs[i];
}

}  // namespace

void AnalyzeOptions::Validate() const {
  ValidateWidths("weight_bits", weight_bits);
  ValidateWidths("activation_bits", activation_bits);
  if (measures.empty()) throw Error("measures is empty, needs at least one of eigenvalue, trace, weight-error and relative-error");
  for (const int bits : weight_bits) weight_format.WithBits(bits).Validate();
  for (const int bits : activation_bits) activation_format.WithBits(bits).Validate();
  if (activation_format.granularity != Granularity::Tensor) {
    throw Error("activation_format has a scale per channel; activations are quantized per tensor");
  }
  if (curvature_samples < 1) throw Error(fmt::format("curvature_samples is {}, must be at least 1", curvature_samples));
  if (batch_size < 1) throw Error(fmt::format("batch_size is {}, must be at least 1", batch_size));
  eigen.Validate();
  trace.Validate();
}

Sensitivity Outline(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  options.Validate();
  if (network.layers().empty()) throw Error("no layer of this network can be quantized; inspect says why");
  Sensitivity result;
  result.tool_version = Version();
  result.model_sha256 = network.sha256();
  result.data = SourceOf(data);
  result.seed = options.seed;
  result.loss = ToString(ResolveLoss(options.loss, data));
  result.fold_batch_norm = network.batch_norm_folded();
  result.weight_format = options.weight_format;
  result.activation_format = options.activation_format;
  result.layers = LayerFacts(network, data, options);
  return result;
}

Sensitivity Analyze(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  Sensitivity result = Outline(network, data, options);
  AddWeightChoices(network, options, result.layers);
  std::vector<std::int64_t> input_elements;
  if (QuantizesActivations(options)) input_elements = AddActivationChoices(network, data, options, result.layers);
  if (NeedsSecondDerivatives(options)) {
    const LossFunction differentiated(network, data.First(options.curvature_samples), ResolveLoss(options.loss, data),
                                      options.batch_size);
    AddCurvatures(differentiated, options, input_elements, result.layers);
  }
  return result;
}

}  // namespace bitplan
