#include "bitplan/analyze.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "bitplan/cost.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "bitplan/profile.h"
#include "bitplan/run.h"
#include "checkpoint.h"
#include "command.h"
#include "file_roles.h"
#include "image_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "options.h"
#include "output_path.h"
#include "plan/companion_files.h"
#include "report.h"
#include "sample_warnings.h"
#include "target_options.h"
#include "values.h"

namespace bitplan::cli {

namespace {

/// The measure that the table shows: the default where it was computed.
Measure Shown(const Sensitivity& sensitivity) {
  const Measure preferred = ProblemOptions().measure;
  if (sensitivity.Has(preferred)) return preferred;
  for (const Measure measure : AllMeasures())
    if (HasFigures(measure) && sensitivity.Has(measure)) return measure;
  for (const Measure measure : {Measure::Trace, Measure::Eigenvalue})
    if (sensitivity.Has(measure)) return measure;
  return Measure::RelativeError;
}

/// Width at which layers are compared: 4 bits, or the narrowest one above that is offered; else the widest that is not
/// float, where there is one.
std::size_t ComparedAt(const std::vector<Perturbation>& choices) {
  std::size_t widest = 0;
  for (std::size_t k = 0; k < choices.size() && choices[k].bits < 32; ++k) {
    widest = k;
    if (choices[k].bits >= 4) break;
  }
  return widest;
}

/// Standard error of what PredictedCost gives; nothing where there is none.
std::optional<double> StandardError(const Curvature& curvature, const Perturbation& choice, Measure measure) {
  if (HasFigures(measure)) {
    const auto found = choice.figures.find(measure);
    const double error = found == choice.figures.end() ? 0 : found->second.standard_error;
    return error > 0 ? std::optional(error) : std::nullopt;
  }
  if (measure == Measure::Trace)
    return curvature.trace_standard_error / static_cast<double>(std::max<std::int64_t>(curvature.elements, 1)) *
           choice.squared_error;
  return std::nullopt;
}

std::string ShareBar(double share, double largest) {
  constexpr double kWidth = 20;
  std::string bar;
  for (int i = 0; i < std::lround(kWidth * share / largest); ++i) bar += "█";
  return bar;
}

/// How well the figures are known, and whether that is as was asked for.
void PrintPrecision(const Sensitivity& sensitivity, const AnalyzeOptions& options) {
  const Measure measure = options.measures.front();
  if (!IsOfShifts(measure)) return;
  const double reached = WorstRelativeError(sensitivity, measure);
  std::string asked;
  if (options.precision > 0)
    asked = fmt::format("{} the {:.3g}% asked for",
                        reached <= options.precision ? ", within" : "; the data ended before", 100 * options.precision);
  fmt::print("{} samples of {}: {} is known to {:.2g}%{}\n", sensitivity.samples, sensitivity.data.samples,
             ToString(measure), 100 * reached, asked);
}

/// What the arithmetic of the passes changed: the most, and where.
void PrintDifference(const std::vector<LayerSensitivity>& layers, Arithmetic compute) {
  const LayerSensitivity* most = nullptr;
  for (const LayerSensitivity& layer : layers)
    if (layer.difference_from_float32 &&
        (!most || layer.difference_from_float32->rows > most->difference_from_float32->rows))
      most = &layer;
  if (!most) return;
  fmt::print("{} differs from float32 by at most {:.2g}% in a layer's gradients and {:.2g}% in its trace: at {}\n",
             ToString(compute), 100 * most->difference_from_float32->rows, 100 * most->difference_from_float32->trace,
             most->name);
}

/// Layers along whose weights the loss is curved downwards, and what that counts as.
void PrintNegative(const std::vector<LayerSensitivity>& layers) {
  std::vector<std::string> names;
  for (const LayerSensitivity& layer : layers)
    if (layer.weight.eigenvalue.value_or(0) < 0 ||
        layer.weight.trace.value_or(0) < -2 * layer.weight.trace_standard_error)
      names.push_back(layer.name);
  if (names.empty()) return;
  fmt::print(
      "the loss is curved downwards along the weights of {} layer{} ({}{}): negative curvature counts with its "
      "magnitude\n",
      names.size(), names.size() == 1 ? "" : "s", names.front(), names.size() == 1 ? "" : ", …");
}

void Print(const Sensitivity& sensitivity, const AnalyzeOptions& options, const Criterion& criterion) {
  const Measure measure = Shown(sensitivity);
  const double floor = CurvatureFloor(sensitivity, measure);
  const std::vector<Perturbation>& widths = sensitivity.layers.front().weight_choices;
  const std::size_t compared = ComparedAt(widths);
  const bool has_errors = StandardError(sensitivity.layers.front().weight, widths[compared], measure).has_value();
  double sum = 0, largest = 0;
  for (const LayerSensitivity& layer : sensitivity.layers) {
    const double cost = PredictedCost(layer.weight, layer.weight_choices[compared], measure, floor);
    sum += cost;
    largest = std::max(largest, cost);
  }
  std::vector<std::string> header{"layer", "operator", "weights"};
  for (std::size_t k = 0; k < widths.size(); ++k) {
    header.push_back(fmt::format("w{}", widths[k].bits));
    if (k == compared && has_errors) header.emplace_back("±");
  }
  for (const Perturbation& choice : sensitivity.layers.front().activation_choices)
    if (choice.bits < 32) header.push_back(fmt::format("a{}", choice.bits));
  header.push_back(fmt::format("share at w{}", widths[compared].bits));
  header.emplace_back("");
  Table table(header);
  for (const LayerSensitivity& layer : sensitivity.layers) {
    std::vector<std::string> row{layer.name, layer.op, WithCommas(layer.weight_count)};
    for (std::size_t k = 0; k < layer.weight_choices.size(); ++k) {
      const Perturbation& choice = layer.weight_choices[k];
      row.push_back(fmt::format("{:.3g}", PredictedCost(layer.weight, choice, measure, floor)));
      if (k == compared && has_errors)
        row.push_back(fmt::format("{:.1g}", StandardError(layer.weight, choice, measure).value_or(0)));
    }
    for (const Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32)
        row.push_back(fmt::format("{:.3g}", PredictedCost(layer.activation, choice, measure, floor)));
    row.resize(header.size() - 2, "-");
    const double cost = PredictedCost(layer.weight, layer.weight_choices[compared], measure, floor);
    row.push_back(sum > 0 ? fmt::format("{:.1f}%", 100 * cost / sum) : "-");
    row.push_back(largest > 0 ? ShareBar(cost, largest) : "");
    table.Add(std::move(row));
  }
  fmt::print("{}\n{} of each layer's weight (w) and input (a) quantized alone{}\n", table.Text(), ToString(measure),
             has_errors ? "; ±: its standard error over the samples" : "");
  PrintCriterion(criterion);
  PrintNegative(sensitivity.layers);
  PrintPrecision(sensitivity, options);
  PrintDifference(sensitivity.layers, options.compute);
}

MoreFiles FilesBeside(const std::filesystem::path& file) {
  MoreFiles files{{}, {{"--out's checkpoint", CheckpointOf(file)}}};
  for (const std::filesystem::path& array : plan::CompanionFiles(file))
    files.written.push_back({"--out's arrays", array});
  return files;
}

}  // namespace

int AnalyzeModel(const Arguments& arguments) {
  CommandLine line("analyze MODEL.pt --data KIND:FILE --out sensitivity.json [options]",
                   "Measures what each width does to each layer's weight and input, and how much the loss minds.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(), "cifar10:FILE, idx:FILE,LABELS, npy:, npz:, pt:, safetensors:, tokens: ..."},
      {"out", WrittenFile(), "where the sensitivity file goes"},
      {"measures", SomeNames(AllNames<Measure>())->default_value(Joined(AnalyzeOptions().measures)),
       "which to compute; the errors always are"},
  });
  line.Add({{"shifts", Flag(),
             "keep every choice's shift of the output in .npy files beside the sensitivity file, for search --joint"}});
  AddSampleOptions(line, RunOptions().calibration_samples);
  AddBatchOption(line);
  AddAnalyzeOptions(line);
  AddModelOptions(line);
  AddResumeOption(line);
  AddTargetOption(line, "formats, widths and operands of a device's compiler");
  if (!line.Parse(arguments)) return kDone;

  AnalyzeOptions options = ReadAnalyzeOptions(line);
  options.measures = ParseMeasures(line.Get<std::string>("measures"));
  options.keep_shifts = line.Get<bool>("shifts");
  options.progress = ShowProgress();
  const std::filesystem::path file = line.Required("out");
  RequireWritable(file);
  RefuseOverwriting(line, FilesBeside(file));
  const std::optional<Target> target = ReadTargetOption(line);
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = target.has_value();
  const Network network = LoadNetwork(line, network_options);
  if (target) ApplyTarget(line, network, *target, options);
  const Dataset data = LoadData(line.Required("data"), ReadSampleOptions(line, network));
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  RefuseIdleTemperature(line, criterion, options.measures);
  options.memory_bytes = ReadMemory(line, network, {&data});
  TellOfFewValues(network, data, options.measures, options.channel_correction);
  WithCheckpoint(line, file, [&](const std::filesystem::path& checkpoint) {
    options.checkpoint = checkpoint;
    Sensitivity sensitivity = Analyze(network, data, options);
    AddNetworkCosts(network, data.Get(0, 1, at::Device(network.device())).inputs, sensitivity);
    WriteSensitivity(file, sensitivity);
    if (WriteJson(line, ToJson(sensitivity))) Print(sensitivity, options, criterion);
  });
  return kDone;
}

}  // namespace bitplan::cli
