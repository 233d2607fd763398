#include "bitplan/analyze.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "bitplan/error.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "bitplan/version.h"
#include "hessian/activation_errors.h"
#include "hessian/layer_curvature.h"
#include "hessian/logit_shifts.h"
#include "hessian/resolve_loss.h"
#include "hessian/shift_figures.h"
#include "hessian/variable_slots.h"
#include "quantize/single_choices.h"

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

bool Wants(const AnalyzeOptions& options, Measure measure) {
  return std::find(options.measures.begin(), options.measures.end(), measure) != options.measures.end();
}

bool NeedsCurvature(const AnalyzeOptions& options) { return Wants(options, Measure::Eigenvalue) || Wants(options, Measure::Trace); }

constexpr std::array kShiftMeasures = {Measure::LogitShift, Measure::Divergence, Measure::Quadratic, Measure::SingleLoss};

bool NeedsShifts(const AnalyzeOptions& options) {
  return options.keep_shifts ||
         std::any_of(kShiftMeasures.begin(), kShiftMeasures.end(), [&](Measure measure) { return Wants(options, measure); });
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

/// Curvature that needs second derivatives: of inputs, and with `exact_hessian` of weights.
void AddHessians(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                 const std::vector<std::int64_t>& input_elements, std::vector<LayerSensitivity>& layers) {
  const LossFunction loss(network, data.First(options.curvature_samples), ResolveLoss(options.loss, data), options.batch_size,
                          options.temperature);
  if (options.exact_hessian) {
    const std::vector<Curvature> weights = WeightCurvatures(loss, options);
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].weight = weights[i];
  }
  if (input_elements.empty()) return;
  const std::vector<Curvature> inputs = InputCurvatures(loss, options, input_elements);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].activation = inputs[i];
}

/// The choices of the analysis, each alone, and which layer's figure each is.
struct Alternatives {
  std::vector<SingleChoice> choices;
  struct Owner {
    std::size_t layer = 0, choice = 0;  ///< position in the layer's weight_choices or activation_choices
  };
  std::vector<Owner> owners;
};

Alternatives ListAlternatives(const AnalyzeOptions& options, const std::vector<LayerSensitivity>& layers) {
  Alternatives all;
  std::map<int, std::vector<int>> tied;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (layers[i].tied_group >= 0) tied[layers[i].tied_group].push_back(static_cast<int>(i));
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto layer = static_cast<int>(i);
    for (std::size_t k = 0; k < layers[i].weight_choices.size(); ++k) {
      const int bits = layers[i].weight_choices[k].bits;
      if (bits == 32) continue;
      all.choices.push_back({{layer}, false, options.weight_format.WithBits(bits)});
      all.owners.push_back({i, k});
    }
    const std::vector<int> readers = layers[i].tied_group >= 0 ? tied.at(layers[i].tied_group) : std::vector<int>{layer};
    if (readers.front() != layer) continue;
    for (std::size_t k = 0; k < layers[i].activation_choices.size(); ++k) {
      const int bits = layers[i].activation_choices[k].bits;
      if (bits == 32) continue;
      all.choices.push_back({readers, true, options.activation_format.WithBits(bits)});
      all.owners.push_back({i, k});
    }
  }
  return all;
}

/// Appends an output [N, …] as rows of classes.
void AppendRows(std::vector<float>& rows, const at::Tensor& output, std::int64_t class_axis) {
  const at::Tensor last = output.movedim(class_axis, -1).contiguous();
  rows.insert(rows.end(), last.const_data_ptr<float>(), last.const_data_ptr<float>() + last.numel());
}

/// The table of all choices' shifts, of those that are in `found`; `owners` as in Alternatives.
OutputShifts TableOf(const LogitShifts& found, const SingleChoices& choices, const std::vector<Alternatives::Owner>& owners,
                     const std::vector<LayerSensitivity>& layers, std::int64_t class_axis) {
  OutputShifts table;
  table.classes = static_cast<std::size_t>(found.logits.size(class_axis));
  AppendRows(table.logits, found.logits, class_axis);
  table.samples = table.logits.size() / table.classes;
  std::map<std::tuple<std::size_t, bool, std::size_t>, std::size_t> position;
  for (std::size_t i = 0; i < owners.size(); ++i) position[{owners[i].layer, choices[i].activation, owners[i].choice}] = i;
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (const bool activation : {false, true}) {
      const auto& of_layer = activation ? layers[layer].activation_choices : layers[layer].weight_choices;
      for (std::size_t k = 0; k < of_layer.size(); ++k) {
        if (of_layer[k].bits == 32) continue;
        const auto at = position.find({layer, activation, k});
        if (at == position.end())
          table.shifts.resize(table.shifts.size() + table.logits.size());
        else
          AppendRows(table.shifts, found.shifts[at->second], class_axis);
      }
    }
  return table;
}

/// The figures of what the choices do to layers' outputs and to the network's.
void AddFigures(const Network& network, const Dataset& data, const AnalyzeOptions& options, Sensitivity& sensitivity) {
  std::vector<LayerSensitivity>& layers = sensitivity.layers;
  Alternatives all = ListAlternatives(options, layers);
  const std::vector<Alternatives::Owner> owners = all.owners;
  const auto choices = SingleChoices::Fit(network, std::move(all.choices), data,
                                          {options.batch_size, options.channel_correction, options.progress});
  const auto choice_of = [&](std::size_t i) -> Perturbation& {
    LayerSensitivity& layer = layers[owners[i].layer];
    return (choices[i].activation ? layer.activation_choices : layer.weight_choices)[owners[i].choice];
  };
  // Layers that read what another one's choice quantizes already: nothing is left for them.
  for (LayerSensitivity& layer : layers)
    for (Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32 && layer.tied_group >= 0)
        for (const Measure measure : options.measures)
          if (HasFigures(measure) && measure != Measure::Fisher) choice.figures[measure] = {};

  if (Wants(options, Measure::OutputError))
    for (std::size_t i = 0; i < choices.size(); ++i) {
      // Recurrent layers and embeddings have no output of their own: what is known is the change of the tensor itself.
      const double error = choices.OutputError(i).value_or(choice_of(i).relative_error);
      choice_of(i).figures[Measure::OutputError] = {error, 0};
    }
  if (!NeedsShifts(options)) return;
  const ShiftJudge judge{{}, {}, ResolveLoss(options.loss, data), options.temperature};
  const at::Tensor labels = UsesLabels(judge.loss, data.has_labels()) ? data.labels() : at::Tensor();
  std::vector<std::map<Measure, std::vector<double>>> of_samples(choices.size());  // in order of the samples
  LogitShifts kept;
  std::vector<std::vector<at::Tensor>> parts(options.keep_shifts ? choices.size() : 0);
  std::vector<at::Tensor> logits;
  ForEachShift(network, data, choices, {options.delta, options.memory_bytes, options.progress},
               [&](std::int64_t begin, const at::Tensor& of_chunk, std::size_t choice, const at::Tensor& shift) {
                 ShiftJudge of_these = judge;
                 of_these.logits = of_chunk;
                 if (labels.defined()) of_these.labels = labels.narrow(0, begin, of_chunk.size(0));
                 for (const Measure measure : kShiftMeasures) {
                   if (!Wants(options, measure)) continue;
                   const at::Tensor values = of_these.OfSamples(measure, shift).contiguous();
                   std::vector<double>& all_values = of_samples[choice][measure];
                   all_values.insert(all_values.end(), values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
                 }
                 if (!options.keep_shifts) return;
                 if (parts[choice].size() == logits.size()) logits.push_back(of_chunk);
                 parts[choice].push_back(shift);
               });
  for (std::size_t i = 0; i < choices.size(); ++i)
    for (const auto& [measure, values] : of_samples[i]) choice_of(i).figures[measure] = MeanOfSamples(values);
  if (!options.keep_shifts) return;
  kept.logits = at::cat(logits);
  for (const std::vector<at::Tensor>& of_choice : parts) kept.shifts.push_back(at::cat(of_choice));
  sensitivity.shifts = TableOf(kept, choices, owners, layers, ClassAxis(kept.logits, labels));
}

/// Curvature in weights, and what follows from its diagonal.
void AddGaussNewton(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                    std::vector<LayerSensitivity>& layers) {
  GaussNewtonOptions given;
  given.loss = options.loss;
  given.temperature = options.temperature;
  given.compute = options.compute;
  given.memory_bytes = options.memory_bytes;
  given.seed = options.seed;
  given.progress = options.progress;
  const GaussNewton matrix = GaussNewton::Compute(network, data, given);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Curvature& curvature = layers[i].weight;
    if (Wants(options, Measure::Trace) && !options.exact_hessian) {
      const TraceEstimate trace = matrix.Trace(i);
      curvature.trace = trace.value;
      curvature.trace_standard_error = trace.standard_error;
      curvature.trace_significant = trace.significant;
    }
    if (Wants(options, Measure::Eigenvalue) && !options.exact_hessian) {
      EigenOptions eigen = options.eigen;
      eigen.seed = options.seed;
      const Eigenpairs pairs = TopEigenpairs(GaussNewtonOperator(matrix, {i}), eigen);
      curvature.eigenvalue = pairs.values.front();
      curvature.eigenvalue_residual = pairs.residuals.front();
      curvature.eigenvalue_converged = pairs.converged;
    }
    if (Wants(options, Measure::Fisher)) {
      const Layer& layer = network.layers()[i];
      const at::Tensor diagonal = matrix.Diagonal(i), weight = network.Weight(layer);
      for (Perturbation& choice : layers[i].weight_choices) {
        if (choice.bits == 32) continue;
        const at::Tensor change = QuantizeWeight(weight, options.weight_format.WithBits(choice.bits), layer.channel_axis).value - weight;
        choice.figures[Measure::Fisher] = {(diagonal * change.to(at::kDouble).square()).sum().item<double>() / 2, 0};
      }
    }
    Report(options.progress, "curvature", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(layers.size()));
  }
}

}  // namespace

std::string_view ToString(Delta delta) {
  switch (delta) {
    case Delta::Linear:
      return "linear";
    case Delta::Measured:
      return "measured";
    case Delta::Auto:
      break;
  }
  return "auto";
}

Delta ParseDelta(std::string_view text) {
  for (const Delta delta : {Delta::Linear, Delta::Measured, Delta::Auto})
    if (text == ToString(delta)) return delta;
  throw Error(fmt::format("unknown delta '{}': expected linear, measured or auto", text));
}

void AnalyzeOptions::Validate() const {
  ValidateWidths("weight_bits", weight_bits);
  ValidateWidths("activation_bits", activation_bits);
  if (measures.empty()) throw Error("measures is empty, needs at least one measure");
  for (const int bits : weight_bits) weight_format.WithBits(bits).Validate();
  for (const int bits : activation_bits) activation_format.WithBits(bits).Validate();
  if (activation_format.granularity != Granularity::Tensor) {
    throw Error("activation_format has a scale per channel; activations are quantized per tensor");
  }
  if (!(temperature > 0)) throw Error(fmt::format("temperature is {}, must be above 0", temperature));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
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
  result.temperature = options.temperature;
  result.fold_batch_norm = network.batch_norm_folded();
  result.channel_correction = options.channel_correction;
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
  if (Wants(options, Measure::OutputError) || NeedsShifts(options)) AddFigures(network, data, options, result);
  if (NeedsCurvature(options) && (options.exact_hessian || !input_elements.empty()))
    AddHessians(network, data, options, input_elements, result.layers);
  if ((NeedsCurvature(options) && !options.exact_hessian) || Wants(options, Measure::Fisher))
    AddGaussNewton(network, data, options, result.layers);
  return result;
}

}  // namespace bitplan
