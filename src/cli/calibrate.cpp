#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "bitplan/files.h"
#include "bitplan/quantize.h"
#include "command.h"
#include "image_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "options.h"
#include "output_path.h"
#include "report.h"

namespace bitplan::cli {

namespace {

void Print(const Network& network, const ActivationStatistics& statistics) {
  Table table({"read by", "smallest", "largest", "8 bits max", "8 bits mse", "4 bits max", "4 bits mse"});
  for (std::size_t i = 0; i < network.sites().size(); ++i) {
    const Site& site = network.sites()[i];
    if (site.kind == Site::Kind::LayerOutput || !statistics.Has(static_cast<int>(i))) continue;
    const auto [low, high] = statistics.Extremes(static_cast<int>(i));
    std::vector<std::string> row{site.name, fmt::format("{:.4g}", low), fmt::format("{:.4g}", high)};
    for (const int bits : {8, 4})
      for (const Calibrator calibrator : {Calibrator::Max, Calibrator::Mse}) {
        Format format = DefaultActivationFormat().WithBits(bits);
        format.calibrator = calibrator;
        row.push_back(fmt::format("{:.4g}", statistics.Range(static_cast<int>(i), format).scale));
      }
    table.Add(std::move(row));
  }
  fmt::print("{}\nsteps of asymmetric grids by width and calibrator\n", table.Text());
}

}  // namespace

int CalibrateModel(const Arguments& arguments) {
  CommandLine line("calibrate MODEL.pt --data KIND:FILE --out statistics.json [options]",
                   "Collects what the ranges of all layer inputs are found from, at any width and with any calibrator, "
                   "for quantize --statistics.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  line.Add({
      {"data", ReadData(), "what the network is run over"},
      {"out", WrittenFile(), "where the statistics go"},
      {"operands", Flag(), "also of what operators without a weight read, for plans with operands"},
  });
  AddSampleOptions(line, 512);
  AddBatchOption(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;
  const std::filesystem::path out = line.Required("out");
  RequireWritable(out);
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = line.Get<bool>("operands");
  const Network network = LoadNetwork(line, network_options);
  const Dataset data = LoadData(line.Required("data"), ReadSampleOptions(line, network));
  const PassLimits limits(line.Get<std::int64_t>("batch-size"), ReadMemory(line, network, {&data}));
  const auto statistics = ActivationStatistics::Collect(network, data, limits, ShowProgress());
  const std::string json = statistics.ToJson();
  WriteFile(out, json);
  if (WriteJson(line, json)) Print(network, statistics);
  return kDone;
}

}  // namespace bitplan::cli
