#include "bitplan/quantize.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "command.h"
#include "configuration_options.h"
#include "exports.h"
#include "interrupt.h"
#include "memory_option.h"
#include "options.h"
#include "output_path.h"
#include "planned_network.h"
#include "report.h"
#include "rounding_report.h"
#include "target_options.h"

namespace bitplan::cli {

int QuantizeModel(const Arguments& arguments) {
  CommandLine line("quantize MODEL.pt plan.json --calibration KIND:FILE --out quantized.pt [options]",
                   "Applies a plan and saves a TorchScript file of standard operators that plain PyTorch runs.");
  line.AddPositional("MODEL.pt", "TorchScript or torch.export file");
  line.AddPositional("plan.json",
                     "from bitplan search or run; without it formats by hand, or those that --target has first");
  line.Add({
      {"out", Text("FILE"), "where the quantized model goes"},
      {"packed", Text("FILE"),
       "write the packed weights, scales, biases and ranges, without the graph, as safetensors: the size is the plan's "
       "file_size_bytes"},
  });
  AddExportOption(line);
  line.Add({{"statistics", Text("FILE"),
             "ranges of layer inputs from what bitplan calibrate collected, not from the calibration data"}});
  AddConfigurationOptions(line);
  AddCorrectionOptions(line, /*with_output=*/true);
  AddTargetOption(line, "refuse a plan that a device's compiler cannot run");
  AddCalibrationOptions(line);
  AddPreparationOptions(line);
  AddBatchOption(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;

  const bool packed = line.Has("packed"), runnable = line.Has("out") || !(packed || line.Has("export"));
  const std::filesystem::path out = runnable ? line.Required("out") : "",
                              packed_out = packed ? line.Get<std::string>("packed") : "";
  if (runnable) RequireWritable(out);
  if (packed) RequireWritable(packed_out);
  const std::vector<ExportedFile> exported = ReadExportOption(line);
  const std::optional<Target> target = ReadTargetOption(line);
  const bool by_hand = HasConfiguration(line);
  if (by_hand && line.Has("plan.json"))
    throw Error("plan.json: formats are given by hand as well; leave out one of the two");
  std::optional<Plan> given;
  if (line.Has("plan.json") || (!target && !by_hand)) given = ReadPlan(line.Required("plan.json"));
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = target.has_value();
  if (given) MatchPlan(*given, network_options);
  const Network network = LoadNetwork(line, network_options);
  Plan plan = given     ? *given
              : by_hand ? MakeConfiguredPlan(network, ReadConfigurationOptions(line))
                        : MakeTargetPlan(line, network, *target);
  plan.corrections = ReadCorrections(line, plan.corrections);
  if (target) CheckPlan(plan, network, *target);
  QuantizeOptions options;
  options.batch_size = line.Get<std::int64_t>("batch-size");
  options.progress = ShowProgress();
  if (line.Has("statistics"))
    options.statistics = ActivationStatistics::Read(line.Get<std::string>("statistics"), network);
  const auto [quantized, gain, memory] = QuantizeByPlan(line, network, plan, options, {});
  if (runnable) quantized.Save(out);
  if (packed) quantized.SavePacked(packed_out);
  for (const auto& [exporter, file] : exported) Export(quantized, *exporter, file);

  const auto size = [](const std::filesystem::path& file) {
    return static_cast<std::int64_t>(std::filesystem::file_size(file));
  };
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.quantization/1";
  json["model_sha256"] = network.sha256();
  if (runnable) json["quantized_sha256"] = FileSha256(out);
  if (runnable) json["quantized_size_bytes"] = size(out);
  if (packed) json["packed_size_bytes"] = size(packed_out);
  for (const auto& [exporter, file] : exported)
    json["exports"].push_back({{"name", exporter->name()}, {"sha256", FileSha256(file)}, {"size_bytes", size(file)}});
  json["layers"] = plan.layers.size();
  if (!WriteJson(line, WithRoundings(json.dump(1), quantized))) return kDone;
  if (runnable)
    fmt::print("{}: {} layers quantized, {} bytes\n", out.string(), plan.layers.size(), WithCommas(size(out)));
  if (packed) fmt::print("{}: {} bytes, packed\n", packed_out.string(), WithCommas(size(packed_out)));
  for (const auto& [exporter, file] : exported)
    fmt::print("{}: {} bytes, {}\n", file.string(), WithCommas(size(file)), exporter->name());
  PrintRoundings(quantized);
  return kDone;
}

}  // namespace bitplan::cli
