#include "bitplan/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "applied_plan.h"
#include "bitplan/error.h"
#include "command.h"
#include "exports.h"
#include "planned_network.h"
#include "report.h"

namespace bitplan::cli {

namespace {

/// What each exporter carries and refuses: a paragraph for each.
int ListExporters(const CommandLine& line) {
  const std::vector<std::vector<std::string>> table = ExporterTable();
  nlohmann::ordered_json json = {{"schema", "bitplan.exporters/1"}};
  for (std::size_t row = 1; row < table.size(); ++row) {
    const std::vector<std::string>& cells = table[row];
    json["exporters"].push_back({{"name", cells[0]},
                                 {"writes", cells[1]},
                                 {"weights", cells[2]},
                                 {"inputs", cells[3]},
                                 {"carries", cells[4]},
                                 {"refuses", cells[5]},
                                 {"from", cells[6]}});
  }
  if (!WriteJson(line, json.dump(1))) return kDone;
  for (std::size_t row = 1; row < table.size(); ++row) {
    fmt::print("{}{}: {}\n", row == 1 ? "" : "\n", table[row][0], table[row][1]);
    for (std::size_t cell = 2; cell < table[row].size(); ++cell)
      fmt::print("  {:<8} {}\n", table[0][cell], table[row][cell]);
  }
  return kDone;
}

/// Exporters without scales need no calibration data, where they are alone.
void WriteExports(const CommandLine& line, const AppliedPlan& applied, const std::vector<ExportedFile>& files) {
  const bool scales =
      std::any_of(files.begin(), files.end(), [](const ExportedFile& file) { return file.Traits().scales; });
  std::optional<PlannedNetwork> planned;
  if (scales) planned = QuantizeByPlan(line, applied.network, applied.plan, applied.options, {});
  for (const auto& [exporter, file, options] : files)
    if (planned)
      Export(planned->quantized, *exporter, file, options);
    else
      ExportPlan(applied.network, applied.plan, *exporter, file, options);
}

}  // namespace

int ExportPlans(const Arguments& arguments) {
  CommandLine line("export plan.json MODEL.pt --to NAME=FILE [--calibration KIND:FILE] [options]",
                   "Writes what a plan makes of a model for other tools: networks, checkpoints, or their recipes.");
  line.AddPositional("plan.json", ReadFile(), "from bitplan search or run");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript, torch.export or ONNX file");
  line.Add({{"list", Flag(), "show what each exporter carries and what it refuses"}});
  AddExportOptions(line, "to");
  AddAppliedPlanOptions(line, /*by_hand=*/false);
  if (!line.Parse(arguments)) return kDone;
  if (line.Get<bool>("list")) return ListExporters(line);

  line.Required("plan.json");
  if (!line.Has("to")) throw Error("--to is missing: NAME=FILE; bitplan export --list shows the names");
  const std::vector<ExportedFile> files = ReadExportOptions(line, "to");
  const AppliedPlan applied = ReadAppliedPlan(line);
  CheckExports(files, applied.network, applied.plan);
  WriteExports(line, applied, files);

  nlohmann::ordered_json json = {{"schema", "bitplan.quantization/1"}, {"model_sha256", applied.network.sha256()}};
  json["exports"] = ExportsJson(files);
  json["layers"] = applied.plan.layers.size();
  if (WriteJson(line, json.dump(1))) PrintExports(files);
  TellRemarks(files, applied.network, applied.plan);
  return kDone;
}

}  // namespace bitplan::cli
