#include "bitplan/train.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "adapted_plan.h"
#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/files.h"
#include "bitplan/model_state.h"
#include "bitplan/plan.h"
#include "checkpoint.h"
#include "command.h"
#include "configuration_options.h"
#include "file_roles.h"
#include "image_options.h"
#include "interrupt.h"
#include "known_preparation.h"
#include "loss_text.h"
#include "memory_option.h"
#include "options.h"
#include "output_path.h"
#include "report.h"
#include "target_options.h"
#include "tell.h"
#include "train_options.h"

namespace bitplan::cli {

namespace {

/// Where the results go. All can be written, which is known before the work.
struct Outputs {
  explicit Outputs(const CommandLine& line) : quantized(line.Required("out")) {
    MoreFiles files{{}, {{"--out's checkpoint", CheckpointOf(quantized)}}};
    const auto beside = [&](const char* option, const char* ending) -> std::filesystem::path {
      if (line.Has(option)) return line.Get<std::string>(option);
      files.written.push_back(
          {fmt::format("--{}, beside --out,", option), std::filesystem::path(quantized).replace_extension(ending)});
      return files.written.back().path;
    };
    plan = beside("plan-out", ".json");
    weights = beside("weights-out", ".float.pt");
    RefuseOverwriting(line, files);
    for (const auto& file : {quantized, plan, weights}) RequireWritable(file);
    for (const char* option : {"curve-csv", "curve-svg", "state-dict"})
      if (line.Has(option)) RequireWritable(line.Get<std::string>(option));
  }

  std::filesystem::path quantized, plan, weights;
};

void WriteResult(const CommandLine& line, const Outputs& outputs, const TrainResult& result) {
  WriteFile(outputs.weights, result.model_file);
  WriteFile(outputs.plan, ToJson(result.plan));
  result.quantized.Save(outputs.quantized);
  if (line.Has("state-dict"))
    WriteFile(line.Get<std::string>("state-dict"), [&](const ByteSink& sink) { WriteSafetensors(result.state, sink); });
  if (line.Has("curve-csv")) WriteFile(line.Get<std::string>("curve-csv"), ToCsv(result.curve));
  if (line.Has("curve-svg")) WriteFile(line.Get<std::string>("curve-svg"), ToSvg(result.curve));
}

nlohmann::ordered_json JsonOf(double number) {
  return std::isfinite(number) ? nlohmann::ordered_json(number) : nullptr;
}

std::string JsonOf(const Outputs& outputs, const TrainResult& result, const std::optional<EvaluationReport>& report,
                   const std::map<std::string, std::string>& matched_by_value) {
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.training/1";
  json["model_sha256"] = result.network.sha256();
  json["quantized_sha256"] = FileSha256(outputs.quantized);
  json["best_epoch"] = result.best_epoch;
  for (const TrainEpoch& row : result.curve)
    json["curve"].push_back({{"epoch", row.epoch},
                             {"learning_rate", JsonOf(row.learning_rate)},
                             {"loss", JsonOf(row.loss)},
                             {"accuracy", JsonOf(row.accuracy)},
                             {"held_out_loss", JsonOf(row.held_out_loss)},
                             {"held_out_accuracy", JsonOf(row.held_out_accuracy)}});
  json["diverged"] = result.diverged ? nlohmann::ordered_json(result.diverged->what) : nullptr;
  if (!matched_by_value.empty()) json["matched_by_value"] = matched_by_value;
  if (report) json["evaluation"] = nlohmann::ordered_json::parse(ToJson(*report));
  return json.dump(1);
}

void PrintCurve(const TrainResult& result) {
  const auto loss = [](double number) { return std::isfinite(number) ? LossText(number) : std::string("–"); };
  const auto share = [](double number) {
    return std::isfinite(number) ? fmt::format("{:.2f}%", 100 * number) : std::string("–");
  };
  Table table({"epoch", "learning rate", "loss", "accuracy", "held-out loss", "held-out accuracy"});
  for (const TrainEpoch& row : result.curve)
    table.Add({fmt::format("{}{}", row.epoch, row.epoch == result.best_epoch ? " kept" : ""),
               std::isfinite(row.learning_rate) ? fmt::format("{:.2g}", row.learning_rate) : "–", loss(row.loss),
               share(row.accuracy), loss(row.held_out_loss), share(row.held_out_accuracy)});
  fmt::print("{}", table.Text());
}

/// What is trained, under which plan.
struct Subject {
  Network network;  ///< batch norm unfolded, as training takes it
  Plan plan;
  std::map<std::string, std::string> matched_by_value = {};

  /// Batch norm as the plan has it. Made anew each time: training has one of its own, beside which there is no room.
  Network AsPlanned() const { return plan.fold_batch_norm ? network.WithBatchNormFolded() : network; }
};

/// The plan is from a file, by hand, or what a target has first.
Subject LoadSubject(const CommandLine& line) {
  const std::optional<Target> target = ReadTargetOption(line);
  if (line.Has("plan") && (HasConfiguration(line) || target))
    throw Error("--plan: formats are given by hand, or a target is, as well; leave out one of the two");
  NetworkOptions options = ReadModelOptions(line);
  std::optional<Plan> plan;
  if (!HasConfiguration(line) && !target) {
    plan = ReadPlan(line.Required("plan"));
    RefuseOverwriting(line, {FilesOfData("the data that the plan was analyzed on", plan->data.spec), {}});
    MatchPlan(*plan, options);
  } else {
    options.operand_sites = target.has_value();
  }
  const bool folded = std::exchange(options.fold_batch_norm, false);
  const Network network = LoadNetwork(line, options);
  const Network planned = folded ? network.WithBatchNormFolded() : network;
  if (plan) {
    AdaptedPlan adapted = AdaptAndTell(planned, *plan);
    return {network, std::move(adapted.plan), std::move(adapted.by_value)};
  }
  return {network, HasConfiguration(line) ? MakeConfiguredPlan(planned, ReadConfigurationOptions(line))
                                          : MakeTargetPlan(line, planned, *target)};
}

EvaluationReport EvaluateBoth(const Network& before, const TrainResult& result, const Dataset& test,
                              const TrainOptions& options) {
  EvaluationReport report;
  report.model_sha256 = before.sha256();
  report.data_sha256 = test.sha256();
  const auto measured = Evaluate(before, {result.quantized}, test, {options.batch_size, options.memory_bytes},
                                 ShowProgress(), options.loss);
  report.float_network = measured[0];
  report.planned = measured[1];
  report.planned_widths = WidthsOf(result.plan);
  return report;
}

/// What training goes by: of a mixture, the labels' part.
Criterion Minimized(Criterion criterion, const TrainOptions& options) {
  if (options.distillation < 1) return criterion.WithLabels();
  criterion.labelled = false;
  return criterion.With(criterion.outputs == OutputKind::Values ? Loss::MeanSquaredError : Loss::Divergence);
}

void AddTrainingOptions(CommandLine& line) {
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript (not frozen) or torch.export file");
  line.Add({
      {"plan", ReadFile(), "from bitplan search or run; without it formats by hand, or those that --target has first"},
      {"data", ReadData(), "what to train on: cifar10:FILE, idx:, npy:, npz:, pt:, safetensors:, tokens:"},
      {"test", ReadData(), "what to measure on in the end; other samples than --data"},
      {"out", WrittenFile(), "where the quantized model goes"},
      {"plan-out", WrittenFile(), "where the plan with the learned scales goes; default: beside --out"},
      {"weights-out", WrittenFile(), "where the trained float model goes; default: beside --out"},
      {"state-dict", WrittenFile(),
       "write the trained float weights and buffers under the module's own names, batch norm unfolded, as safetensors, "
       "for load_state_dict"},
      {"curve-csv", WrittenFile(), "write the learning curve as a table"},
      {"curve-svg", WrittenFile(), "draw it"},
  });
  AddTrainOptions(line);
  AddMetricOption(line, {{"test"}});
  AddConfigurationOptions(line);
  AddTargetOption(line, "formats, widths and operands of a device's compiler");
  AddSampleOptions(line, 0);
  AddModelOptions(line);
  AddResumeOption(line);
}

}  // namespace

int TrainModel(const Arguments& arguments) {
  CommandLine line(
      "train MODEL.pt --plan plan.json --data KIND:FILE --out trained.pt [--test KIND:FILE] [options]",
      "Trains a model under a plan, quantized as it computes. Leaves the quantized TorchScript file, and beside it the "
      "trained float model "
      "(trained.float.pt) and its plan with the learned scales (trained.json), which eval, quantize and train read.");
  AddTrainingOptions(line);
  if (!line.Parse(arguments)) return kDone;

  TrainOptions options = ReadTrainOptions(line);
  options.state_dict = line.Has("state-dict");
  const Outputs outputs(line);
  const Subject subject = LoadSubject(line);
  const Plan& plan = subject.plan;
  std::optional<Network> before = subject.AsPlanned();
  DataOptions data_options = ReadSampleOptions(line, *before);
  PrepareAs(plan.data, line.Required("data"), line, data_options);
  DataOptions test_options = data_options;
  const Dataset data = LoadData(line.Required("data"), data_options);
  test_options.samples = 0;
  std::optional<Dataset> test;
  if (line.Has("test")) test = LoadData(line.Get<std::string>("test"), test_options);
  const Criterion criterion = ResolveLoss(*before, data, options.loss, options.temperature);
  if (test) EvaluationCriterion(*before, *test, options.loss);  // refuses it now, if at all
  options.memory_bytes = test ? ReadMemory(line, *before, {&data, &*test}) : ReadMemory(line, *before, {&data});
  before.reset();
  options.progress = ShowProgress();
  std::optional<TrainResult> result;
  WithCheckpoint(line, outputs.quantized, [&](const std::filesystem::path& checkpoint) {
    options.checkpoint = checkpoint;
    result = Train(subject.network, plan, data, options);
    WriteResult(line, outputs, *result);
  });

  std::optional<EvaluationReport> report;
  if (test) report = EvaluateBoth(subject.AsPlanned(), *result, *test, options);
  if (WriteJson(line, JsonOf(outputs, *result, report, subject.matched_by_value))) {
    PrintCurve(*result);
    if (report) fmt::print("\n");
    if (report) PrintEvaluation(*report, PlannedName(line, plan));
    PrintCriterion(Minimized(criterion, options));
    fmt::print("\nwritten: {}, {}, {}\n", outputs.quantized.string(), outputs.plan.string(), outputs.weights.string());
  }
  if (!result->diverged) return kDone;
  Tell(
      fmt::format("training diverged in epoch {}, step {}: {}; what was written is of epoch {}. A lower "
                  "--learning-rate, a --warm-up or --clip-norm may help",
                  result->diverged->epoch, result->diverged->step, result->diverged->what, result->best_epoch));
  return kDiverged;
}

}  // namespace bitplan::cli
