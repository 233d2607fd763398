#include "bitplan/run.h"

#include <fmt/format.h>

#include "agent_options.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "checkpoint.h"
#include "choose_options.h"
#include "command.h"
#include "cost_options.h"
#include "file_roles.h"
#include "image_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "options.h"
#include "output_path.h"
#include "plan/companion_files.h"
#include "plan/json_writer.h"
#include "planned_network.h"
#include "report.h"
#include "resamples_report.h"
#include "rounding_report.h"
#include "sample_warnings.h"
#include "search_options.h"
#include "target_options.h"
#include "tell.h"
#include "uniform_warning.h"

namespace bitplan::cli {

namespace {

constexpr const char *kQuantized = "quantized.pt", *kSensitivity = "sensitivity.json", *kPlan = "plan.json",
                     *kEvaluation = "evaluation.json", *kChoice = "choice.json", *kAnalysis = "analysis";

MoreFiles OutputFiles(const std::filesystem::path& folder) {
  MoreFiles files = FilesIn(folder, {kQuantized, kSensitivity, kPlan, kEvaluation, kChoice});
  files.written.push_back({"--out-dir's checkpoint", CheckpointOf(folder / kAnalysis)});
  for (const std::filesystem::path& array : plan::CompanionFiles(folder / kSensitivity))
    files.written.push_back({"--out-dir's arrays", array});
  return files;
}

/// The evaluation and, where plans were measured, all that were tried.
std::string ResultJson(const RunResult& result) {
  const std::string evaluation = WithRoundings(ToJson(result.evaluation), result.quantized.front());
  if (!result.choice) return evaluation;
  plan::Json json = plan::Json::parse(evaluation);
  json["choice"] = plan::Json::parse(ToJson(result.problem, *result.choice));
  return plan::JsonText(json);
}

/// Writes the files and prints the tables.
int WriteResult(const CommandLine& line, const OutputFolder& folder, const RunResult& result,
                const Criterion& criterion) {
  if (result.solution.choices.empty()) {
    WriteJson(line, ToJson(result.problem, result.solution));
    PrintInfeasible(line, result.problem, result.solution);
    return kNoPlan;
  }
  ThrowIfInterrupted();
  WriteCurve(line, result.episodes);
  result.quantized.front().Save(folder / kQuantized);
  WriteSensitivity(folder / kSensitivity, result.sensitivity);
  if (result.choice) WriteFile(folder / kChoice, ToJson(result.problem, *result.choice));
  WriteFile(folder / kPlan, ToJson(result.plan));
  WriteFile(folder / kEvaluation, ToJson(result.evaluation));
  WarnOfCorrection(result.evaluation.correction_gain, "--samples", result.evaluation.float_network.outputs);
  if (const std::string warning = UniformWarning(result.evaluation); !warning.empty()) Tell(warning);
  TellOfResamples(result.plan, result.sensitivity, line.Get<std::int64_t>("resamples"));
  if (!WriteJson(line, ResultJson(result))) return kDone;
  PrintPlan(result.plan, result.sensitivity, ReadProblemOptions(line));
  PrintCosts(result.plan);
  PrintCriterion(criterion);
  if (result.choice) PrintChoice(result.problem, *result.choice, criterion.outputs);
  fmt::print("\n");
  PrintEvaluation(result.evaluation);
  PrintRoundings(result.quantized.front());
  fmt::print("\nwritten to {}: quantized.pt, plan.json, sensitivity.json with its .npy files, evaluation.json{}\n",
             line.Required("out-dir"), result.choice ? ", choice.json" : "");
  return kDone;
}

void AddRunOptions(CommandLine& line) {
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(),
       "what to analyze and calibrate on: cifar10:FILE, idx:, npy:, npz:, pt:, safetensors:, tokens:"},
      {"test", ReadData(), "what to measure on; other samples than --data"},
      {"out-dir", WrittenFolder(), "where the results go"},
  });
  AddSearchOptions(line, WithAgent());
  AddCostOptions(line);
  AddSampleOptions(line, RunOptions().calibration_samples);
  AddBatchOption(line);
  AddAnalyzeOptions(line);
  AddCorrectionOptions(line);
  AddMetricOption(line);
  AddModelOptions(line);
  AddResumeOption(line);
  AddAgentOptions(line);
  AddChooseOptions(line);
  AddTargetOption(line, "formats, widths and operands of a device's compiler");
}

}  // namespace

int RunAll(const Arguments& arguments) {
  CommandLine line(
      "run MODEL.pt --data KIND:FILE --test KIND:FILE --budget weight_size=12.5% --out-dir FOLDER [options]",
      "Analyzes, searches, quantizes and measures; leaves sensitivity.json, plan.json, quantized.pt and "
      "evaluation.json in the folder.");
  AddRunOptions(line);
  if (!line.Parse(arguments)) return kDone;

  RunOptions options;
  options.analyze = ReadAnalyzeOptions(line);
  options.problem = ReadProblemOptions(line);
  options.search = ReadSearchOptions(line);
  options.agent = ReadAgentOptions(line);
  ReadChooseOptions(line, options);
  options.seed = options.analyze.seed;
  options.batch_size = options.analyze.batch_size;
  options.corrections = ReadCorrections(line, options.corrections);
  options.resamples = line.Get<std::int64_t>("resamples");
  options.progress = ShowProgress();

  RefuseOverwriting(line, OutputFiles(line.Required("out-dir")));
  const OutputFolder folder(line.Required("out-dir"));
  const std::optional<Target> target = ReadTargetOption(line);
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = target.has_value();
  const Network network = LoadNetwork(line, network_options);
  if (target) options.problem.pins = ApplyTarget(line, network, *target, options.analyze, options.problem.pins);
  const SplitData split = LoadData(line, network, options);
  options.costs = ReadCostOptions(line, NamesOf(network.layers()));
  DataOptions data_options = ReadSampleOptions(line, network);
  data_options.samples = 0;
  const Dataset test = LoadData(line.Required("test"), data_options);
  const Criterion criterion = ResolveLoss(network, split.data, options.analyze.loss, options.analyze.temperature);
  const Dataset& of_data = split.data;  // held-out samples are a part of the same
  RefuseIdleTemperature(line, criterion, {options.problem.measure});
  options.memory_bytes = ReadMemory(line, network, {&of_data, &test});
  TellOfFewValues(network, split.data, MeasuresFor(options.problem),
                  options.corrections.output != OutputCorrection::None);
  int code = kDone;
  WithCheckpoint(line, folder / kAnalysis, [&](const std::filesystem::path& checkpoint) {
    options.analyze.checkpoint = checkpoint;
    const RunResult result = Run(network, split.data, test, options, split.held_out);
    if (target) CheckPlan(result.plan, network, *target);
    code = WriteResult(line, folder, result, criterion);
  });
  return code;
}

}  // namespace bitplan::cli
