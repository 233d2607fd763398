#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bitplan/analyze.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "bitplan/run.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output_path.h"
#include "cli/report.h"

namespace bitplan::cli {

namespace {

std::string EigenvalueText(const Curvature& curvature) {
  if (!curvature.eigenvalue) return "-";
  return fmt::format("{:.4g}{}", *curvature.eigenvalue, curvature.eigenvalue_converged ? "" : " (not converged)");
}

std::string TraceText(const Curvature& curvature) {
  if (!curvature.trace) return "-";
  return fmt::format("{:.4g} ± {:.2g}{}", *curvature.trace, curvature.trace_standard_error,
                     curvature.trace_significant ? "" : " (not significant)");
}

void Print(const Sensitivity& sensitivity) {
  std::vector<std::string> header{"layer", "operator", "weights", "eigenvalue", "trace"};
  for (const Perturbation& choice : sensitivity.layers.front().weight_choices)
    header.push_back(fmt::format("error w{}", choice.bits));
  for (const Perturbation& choice : sensitivity.layers.front().activation_choices)
    if (choice.bits < 32) header.push_back(fmt::format("error a{}", choice.bits));
  Table table(header);
  for (const LayerSensitivity& layer : sensitivity.layers) {
    std::vector<std::string> row{layer.name, layer.op, WithCommas(layer.weight_count), EigenvalueText(layer.weight),
                                 TraceText(layer.weight)};
    for (const Perturbation& choice : layer.weight_choices) row.push_back(fmt::format("{:.3g}", choice.relative_error));
    for (const Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32) row.push_back(fmt::format("{:.3g}", choice.relative_error));
    table.Add(std::move(row));
  }
  fmt::print("{}\nerrors are relative: the squared change over the squared size of the tensor\n", table.Text());
}

}  // namespace

int AnalyzeModel(const Arguments& arguments) {
  CommandLine line("analyze MODEL.pt --data KIND:FILE --out sensitivity.json [options]",
                   "Measures what each width does to each layer's weight and input, and how much the loss minds.");
  line.AddPositional("MODEL.pt", "TorchScript file");
  line.Add()("data", po::value<std::string>()->value_name("KIND:FILE"), "cifar10:FILE, idx:FILE,LABELS, npy:, npz:, pt: ...")(
      "out", po::value<std::string>()->value_name("FILE"), "where the sensitivity file goes")(
      "measures", po::value<std::string>()->default_value("all"), (MeasureNames() + "; the errors always are").c_str());
  line.Add()("shifts", po::bool_switch(), "keep every choice's shift of the output in .npy files beside the sensitivity file, for search --joint");
  AddSampleOptions(line, RunOptions().calibration_samples);
  AddBatchOption(line);
  AddAnalyzeOptions(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;

  AnalyzeOptions options = ReadAnalyzeOptions(line);
  options.measures = ParseMeasures(line.Get<std::string>("measures"));
  options.keep_shifts = line.Get<bool>("shifts");
  options.progress = ShowProgress();
  RequireWritable(line.Required("out"));
  const Network network = Network::Load(line.Required("MODEL.pt"), ReadModelOptions(line));
  const Dataset data = Dataset::Load(line.Required("data"), ReadSampleOptions(line));
  const Sensitivity sensitivity = Analyze(network, data, options);
  WriteSensitivity(line.Required("out"), sensitivity);
  if (WriteJson(line, ToJson(sensitivity))) Print(sensitivity);
  return kDone;
}

}  // namespace bitplan::cli
