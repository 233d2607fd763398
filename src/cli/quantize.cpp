#include "bitplan/quantize.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "applied_plan.h"
#include "bitplan/files.h"
#include "command.h"
#include "exports.h"
#include "output_path.h"
#include "planned_network.h"
#include "report.h"
#include "rounding_report.h"

namespace bitplan::cli {

int QuantizeModel(const Arguments& arguments) {
  CommandLine line("quantize MODEL.pt plan.json --calibration KIND:FILE --out quantized.pt [options]",
                   "Applies a plan and saves a TorchScript file of standard operators that plain PyTorch runs.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.AddPositional("plan.json", ReadFile(),
                     "from bitplan search or run; without it formats by hand, or those that --target has first");
  line.Add({
      {"out", WrittenFile(), "where the quantized model goes"},
      {"packed", WrittenFile(),
       "write the packed weights, scales, biases and ranges, without the graph, as safetensors: the size is the plan's "
       "file_size_bytes"},
  });
  AddExportOptions(line, "export");
  AddAppliedPlanOptions(line, /*by_hand=*/true);
  if (!line.Parse(arguments)) return kDone;

  const bool packed = line.Has("packed"), runnable = line.Has("out") || !(packed || line.Has("export"));
  const std::filesystem::path out = runnable ? line.Required("out") : "",
                              packed_out = packed ? line.Get<std::string>("packed") : "";
  if (runnable) RequireWritable(out);
  if (packed) RequireWritable(packed_out);
  const std::vector<ExportedFile> exported = ReadExportOptions(line, "export");
  const auto [network, plan, options, matched_by_value] = ReadAppliedPlan(line);
  CheckExports(exported, network, plan);
  const auto [quantized, gain, memory] = QuantizeByPlan(line, network, plan, options, {});
  if (runnable) quantized.Save(out);
  if (packed) quantized.SavePacked(packed_out);
  for (const auto& [exporter, file, how] : exported) Export(quantized, *exporter, file, how);

  const auto size = [](const std::filesystem::path& file) {
    return static_cast<std::int64_t>(std::filesystem::file_size(file));
  };
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.quantization/1";
  json["model_sha256"] = network.sha256();
  if (runnable) json["quantized_sha256"] = FileSha256(out);
  if (runnable) json["quantized_size_bytes"] = size(out);
  if (packed) json["packed_size_bytes"] = size(packed_out);
  if (!exported.empty()) json["exports"] = ExportsJson(exported);
  json["layers"] = plan.layers.size();
  if (!matched_by_value.empty()) json["matched_by_value"] = matched_by_value;
  TellRemarks(exported, network, plan);
  if (!WriteJson(line, WithRoundings(json.dump(1), quantized))) return kDone;
  if (runnable)
    fmt::print("{}: {} layers quantized, {} bytes\n", out.string(), plan.layers.size(), WithCommas(size(out)));
  if (packed) fmt::print("{}: {} bytes, packed\n", packed_out.string(), WithCommas(size(packed_out)));
  PrintExports(exported);
  PrintRoundings(quantized);
  return kDone;
}

}  // namespace bitplan::cli
