#include "bitplan/files.h"
#include "bitplan/quantize.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output_path.h"
#include "cli/report.h"

namespace bitplan::cli {

int QuantizeModel(const Arguments& arguments) {
  CommandLine line("quantize MODEL.pt plan.json --calibration KIND:FILE --out quantized.pt [options]",
                   "Applies a plan and saves a TorchScript file of standard operators that plain PyTorch runs.");
  line.AddPositional("MODEL.pt", "TorchScript file");
  line.AddPositional("plan.json", "from bitplan search or run");
  line.Add()("out", po::value<std::string>()->value_name("FILE"), "where the quantized model goes");
  AddCalibrationOptions(line);
  AddPreparationOptions(line);
  AddBatchOption(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;

  const std::filesystem::path out = line.Required("out");
  RequireWritable(out);
  const Plan plan = ReadPlan(line.Required("plan.json"));
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.fold_batch_norm = plan.fold_batch_norm;
  const Network network = Network::Load(line.Required("MODEL.pt"), network_options);
  QuantizeOptions options;
  options.batch_size = line.Get<std::int64_t>("batch-size");
  options.progress = ShowProgress();
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, LoadCalibration(line, plan), options);
  quantized.Save(out);

  nlohmann::ordered_json json;
  json["schema"] = "bitplan.quantization/1";
  json["model_sha256"] = network.sha256();
  json["quantized_sha256"] = FileSha256(out);
  json["quantized_size_bytes"] = std::filesystem::file_size(out);
  json["layers"] = plan.layers.size();
  if (WriteJson(line, json.dump(1)))
    fmt::print("{}: {} layers quantized, {} bytes\n", out.string(), plan.layers.size(),
               WithCommas(static_cast<std::int64_t>(std::filesystem::file_size(out))));
  return kDone;
}

}  // namespace bitplan::cli
