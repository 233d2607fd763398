

#include "bitplan/profile.h"

#include <fmt/format.h>

#include <filesystem>

#include "bitplan/energy.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "bitplan/roofline.h"
#include "command.h"
#include "interrupt.h"
#include "memory_option.h"
#include "number_option.h"
#include "one_sample.h"
#include "options.h"
#include "output_path.h"
#include "report.h"

namespace bitplan::cli {

namespace {

constexpr const char* kHere = "here";
const std::vector<int> kWidths(kAllWidths.begin(), kAllWidths.end());

std::vector<int> UpTo(int most) {
  std::vector<int> widths;
  for (const int bits : kWidths)
    if (bits <= most) widths.push_back(bits);
  return widths;
}

/// What --on takes beside files.
std::vector<std::string> Places() {
  std::vector<std::string> places = DeviceNames();
  places.insert(places.begin(), kHere);
  return places;
}

CostTable LatencyOf(const CommandLine& line, const Network& network, const std::vector<at::Tensor>& inputs) {
  const auto device = line.Get<std::string>("on");
  if (device == kHere) {
    LatencyOptions options;
    options.repeats = line.Get<std::int64_t>("repeats");
    options.batch = line.Get<std::int64_t>("batch");
    options.progress = ShowProgress();
    return MeasureLatency(network, inputs, kWidths, kWidths, options);
  }
  const Roofline roofline = ReadRoofline(device);
  const std::vector<int> widths = UpTo(roofline.macs_per_second.rbegin()->first);
  return RooflineLatency(WorkOf(network, inputs), roofline, widths, widths);
}

/// Milliseconds, with their spread where they are measured; a tilde in front of an estimate.
std::string TimeText(const CostTable& table, std::size_t layer, int bits) {
  const auto value = table.At(layer, bits, bits);
  if (!value) return "-";
  const auto& measured = table.layers[layer].measured;
  const auto spread = measured.find(fmt::format("w{0}a{0}", bits));
  return spread == measured.end() ? fmt::format("~{:.4g}", *value)
                                  : fmt::format("{:.4g} +- {:.2g}", *value, spread->second);
}

void Print(const CostTable& latency, const CostTable& energy, const Network& network) {
  Table table({"layer", "operator", "ms w32a32", "ms w8a8", "ms w4a4", "uJ w32a32", "uJ w8a8", "uJ w4a4"});
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    std::vector<std::string> row{network.layers()[i].name, network.layers()[i].op};
    for (const int bits : {32, 8, 4}) row.push_back(TimeText(latency, i, bits));
    for (const int bits : {32, 8, 4}) row.push_back(fmt::format("{:.4g}", energy.At(i, bits, bits).value()));
    table.Add(std::move(row));
  }
  fmt::print("{}\nlatency: {}; ~ is an estimate\nenergy: {}\n", table.Text(), latency.source, energy.source);
}

}  // namespace

int ProfileModel(const Arguments& arguments) {
  CommandLine line("profile MODEL.pt --input 3,32,32 --out costs.json [options]",
                   "Times each layer's float and 8-bit kernel here, or estimates its latency on a device, and its "
                   "energy; writes tables "
                   "of both for search, pareto and run --costs.");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  const LatencyOptions defaults;
  AddOneSampleOptions(line);
  line.Add({
      {"out", WrittenFile(), "where the tables go"},
      {"on", ReadFileOr(Places())->default_value(kHere),
       "measure on this machine, here, or estimate for a device, by its name or a bitplan.roofline/1 file"},
      {"energy", ReadFile(), "a bitplan.energy/1 file; default: 45 nm, after Horowitz (ISSCC 2014)"},
      {"repeats",
       Number<std::int64_t>(WholeFrom(3), defaults.repeats),
       "measurements of each kernel; their median counts",
       {{"on", {kHere}}}},
      {"batch",
       Number<std::int64_t>(WholeFrom(1), defaults.batch),
       "samples that a measured kernel gets at a time",
       {{"on", {kHere}}}},
  });
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;
  const std::filesystem::path out = line.Required("out");
  RequireWritable(out);
  const EnergyModel model = line.Has("energy") ? ReadEnergyModel(line.Get<std::string>("energy")) : EnergyModel();
  const Network network = LoadNetwork(line, ReadModelOptions(line));
  ReadMemory(line, network, {});
  const std::vector<at::Tensor> inputs = OneSample(line, network);
  const CostTable latency = LatencyOf(line, network, inputs),
                  energy = Energy(WorkOf(network, inputs), model, kWidths, kWidths);
  const std::string json = ToJson(std::vector<CostTable>{latency, energy});
  WriteFile(out, json);
  if (WriteJson(line, json)) Print(latency, energy, network);
  return kDone;
}

}  // namespace bitplan::cli
