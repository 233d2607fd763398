#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapted_plan.h"
#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "command.h"
#include "configuration_options.h"
#include "fast_options.h"
#include "image_options.h"
#include "integer_options.h"
#include "interrupt.h"
#include "known_preparation.h"
#include "memory_option.h"
#include "options.h"
#include "planned_network.h"
#include "report.h"
#include "rounding_report.h"

namespace bitplan::cli {

namespace {

void Print(const EvaluationReport& report, const Criterion& criterion, const std::string& planned = {},
           const std::optional<std::pair<std::string, Evaluation>>& computed_otherwise = {}) {
  PrintEvaluation(report, planned, computed_otherwise);
  PrintCriterion(criterion);
}

void OnIntegers(const CommandLine& line, const QuantizedNetwork& quantized, const Dataset& data,
                const PassLimits& limits, EvaluationReport report, const Criterion& criterion) {
  const IntegerComparison compared =
      EvaluateInteger(quantized, ReadIntegerOptions(line), data, limits, ShowProgress(), ReadLossOption(line));
  report.float_network = compared.float_network;
  report.planned = compared.fake_quantized;
  if (!WriteJson(line, WithRoundings(ToJson(report, compared.integer), quantized))) return;
  Print(report, criterion, PlannedName(line, quantized.plan()), std::pair("on integers", compared.integer.evaluation));
  PrintRoundings(quantized);
  PrintIntegerEvaluation(compared.integer);
}

void OnByteKernels(const CommandLine& line, const QuantizedNetwork& quantized, const Dataset& data,
                   const PassLimits& limits, EvaluationReport report, const Criterion& criterion) {
  const FastComparison compared =
      EvaluateFast(quantized, ReadFastOptions(line), data, limits, ShowProgress(), ReadLossOption(line));
  report.float_network = compared.float_network;
  report.planned = compared.fake_quantized;
  if (!WriteJson(line, WithRoundings(ToJson(report, compared), quantized))) return;
  Print(report, criterion, PlannedName(line, quantized.plan()), std::pair("8-bit kernels", compared.fast));
  PrintRoundings(quantized);
  PrintFastEvaluation(compared);
}

/// Refuses what contradicts itself, before anything is read.
void CheckOptions(const CommandLine& line) {
  ReadIntegerOptions(line);
  const bool by_hand = HasConfiguration(line);
  if (by_hand && line.Has("plan")) throw Error("--plan: formats are given by hand as well; leave out one of the two");
  if (WantsInteger(line) && WantsFast(line))
    throw Error("--integer and --fast are two ways to compute a plan; give one of them");
}

void AddEvaluationOptions(CommandLine& line) {
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(), "what to measure on"},
      {"plan", ReadFile(), "plan to measure beside the float network"},
  });
  AddConfigurationOptions(line);
  AddCorrectionOptions(line, OfAPlan());
  AddOutputCorrectionOption(line, OfAPlan());
  AddIntegerOptions(line);
  AddFastOptions(line);
  AddCalibrationOptions(line, OfAPlan());
  AddSampleOptions(line, 0);
  AddBatchOption(line);
  AddLossOption(line);
  AddMetricOption(line);
  AddModelOptions(line);
}

}  // namespace

int EvaluateModel(const Arguments& arguments) {
  CommandLine line("eval MODEL.pt --data KIND:FILE [--plan plan.json] [options]",
                   "Measures accuracy and loss of the float network and, with a plan, of the planned one.");
  AddEvaluationOptions(line);
  if (!line.Parse(arguments)) return kDone;

  CheckOptions(line);
  NetworkOptions network_options = ReadModelOptions(line);
  auto plan = line.Has("plan") ? std::optional(ReadPlan(line.Get<std::string>("plan"))) : std::nullopt;
  if (plan) MatchPlan(*plan, network_options);
  const Network network = LoadNetwork(line, network_options);
  EvaluationReport report;
  if (plan) {
    AdaptedPlan adapted = AdaptAndTell(network, *plan);
    plan = std::move(adapted.plan);
    report.matched_by_value = std::move(adapted.by_value);
  }
  if (HasConfiguration(line)) plan = MakeConfiguredPlan(network, ReadConfigurationOptions(line));
  if (plan) plan->corrections = ReadCorrections(line, plan->corrections);
  DataOptions data_options = ReadSampleOptions(line, network);
  if (plan) PrepareAs(plan->data, line.Required("data"), line, data_options);
  const Dataset data = LoadData(line.Required("data"), data_options);
  const Loss loss = ReadLossOption(line);
  const Criterion criterion = ResolveLoss(network, data, loss);
  report.model_sha256 = network.sha256();
  report.data_sha256 = data.sha256();
  const auto batch_size = line.Get<std::int64_t>("batch-size");
  if (!plan) {
    report.float_network =
        Evaluate(network, {}, data, {batch_size, ReadMemory(line, network, {&data})}, ShowProgress(), loss)[0];
    if (WriteJson(line, ToJson(report))) Print(report, criterion);
    return kDone;
  }
  QuantizeOptions options;
  options.batch_size = batch_size;
  options.progress = ShowProgress();
  const auto [quantized, gain, memory] = QuantizeByPlan(line, network, *plan, options, {&data});
  const PassLimits limits(batch_size, memory);
  report.planned_widths = WidthsOf(*plan);
  report.correction_gain = gain;
  if (WantsInteger(line)) {
    OnIntegers(line, quantized, data, limits, report, criterion);
  } else if (WantsFast(line)) {
    OnByteKernels(line, quantized, data, limits, report, criterion);
  } else {
    const auto measured = Evaluate(network, {quantized}, data, limits, ShowProgress(), loss);
    report.float_network = measured[0];
    report.planned = measured[1];
    if (!WriteJson(line, WithRoundings(ToJson(report), quantized))) return kDone;
    Print(report, criterion, PlannedName(line, *plan));
    PrintRoundings(quantized);
  }
  return kDone;
}

}  // namespace bitplan::cli
