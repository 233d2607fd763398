#include "bitplan/validate.h"

#include <fmt/format.h>

#include "bitplan/files.h"
#include "bitplan/run.h"
#include "command.h"
#include "file_roles.h"
#include "image_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "number_option.h"
#include "options.h"
#include "output_path.h"
#include "report.h"
#include "sample_warnings.h"
#include "values.h"

namespace bitplan::cli {

namespace {

constexpr const char *kTable = "validation.csv", *kChart = "validation.svg";

void Print(const Validation& validation) {
  const bool tested = validation.agreements.front().spearman_accuracy.has_value();
  std::vector<std::string> header{"measure", "Spearman", "Kendall", "Spearman, small", "Kendall, small"};
  if (tested) header.emplace_back("Spearman, test errors");
  Table table(header);
  for (const Agreement& agreement : validation.agreements) {
    std::vector<std::string> row{agreement.measure};
    for (const double value :
         {agreement.spearman, agreement.kendall, agreement.spearman_small, agreement.kendall_small})
      row.push_back(fmt::format("{:.3f}", value));
    if (tested) row.push_back(fmt::format("{:.3f}", agreement.spearman_accuracy.value_or(0)));
    table.Add(std::move(row));
  }
  fmt::print(
      "{}\nrank correlation with the measured divergence (KL, of values squared error) from the float network over {} "
      "random plans; small: the half with the "
      "smallest\n",
      table.Text(), validation.plans.size());
}

}  // namespace

int ValidateMeasures(const Arguments& arguments) {
  CommandLine line(
      "validate MODEL.pt --data KIND:FILE --out-dir FOLDER [--test KIND:FILE] [options]",
      "Draws random plans, measures their real rise of the loss, and says how well every measure ranks them; leaves "
      "validation.csv and validation.svg in the folder.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(), "what to analyze, calibrate and measure on"},
      {"test", ReadData(), "labelled data to compare with accuracy as well"},
      {"out-dir", WrittenFolder(), "where the results go"},
      {"plans", Number<int>(WholeFrom(10), ValidateOptions().plans), "random plans"},
      {"measures", SomeNames(AllNames<Measure>())->default_value("all"), "which to compare"},
  });
  AddSampleOptions(line, RunOptions().calibration_samples);
  AddBatchOption(line);
  AddAnalyzeOptions(line);
  AddMetricOption(line, {{"test"}});
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;

  ValidateOptions options;
  options.analyze = ReadAnalyzeOptions(line);
  options.analyze.measures = ParseMeasures(line.Get<std::string>("measures"));
  options.plans = line.Get<int>("plans");
  options.seed = options.analyze.seed;
  options.batch_size = options.analyze.batch_size;
  options.progress = ShowProgress();
  RefuseOverwriting(line, FilesIn(line.Required("out-dir"), {kTable, kChart}));
  const OutputFolder folder(line.Required("out-dir"));
  const Network network = LoadNetwork(line, ReadModelOptions(line));
  DataOptions data_options = ReadSampleOptions(line, network);
  const Dataset data = LoadData(line.Required("data"), data_options);
  data_options.samples = 0;
  const auto test =
      line.Has("test") ? std::optional(LoadData(line.Get<std::string>("test"), data_options)) : std::nullopt;
  const Criterion criterion = ResolveLoss(network, data, options.analyze.loss, options.analyze.temperature);
  RefuseIdleTemperature(line, criterion, options.analyze.measures);
  options.memory_bytes = test ? ReadMemory(line, network, {&data, &*test}) : ReadMemory(line, network, {&data});
  TellOfFewValues(network, data, options.analyze.measures, options.analyze.channel_correction);
  const Validation validation = Validate(network, data, test, options);
  ThrowIfInterrupted();
  WriteFile(folder / kTable, ToCsv(validation));
  WriteFile(folder / kChart, ToSvg(validation));
  if (!WriteJson(line, ToJson(validation))) return kDone;
  Print(validation);
  PrintCriterion(criterion);
  fmt::print("\nwritten to {}: validation.csv, validation.svg\n", line.Required("out-dir"));
  return kDone;
}

}  // namespace bitplan::cli
