#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "bitplan/network.h"
#include "cli/command.h"
#include "cli/one_sample.h"
#include "cli/options.h"
#include "cli/report.h"

namespace bitplan::cli {

namespace {

std::string ToJson(const Network& network, const NetworkProfile& profile) {
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.inspection/1";
  json["model_sha256"] = network.sha256();
  json["inputs"] = network.input_names();
  json["output_shape"] = profile.output_shape;
  json["layers"] = nlohmann::ordered_json::array();
  std::int64_t weights = 0, macs = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerProfile& facts = profile.layers[i];
    const at::Tensor weight = network.Weight(layer);
    json["layers"].push_back({{"name", layer.name},
                              {"operator", layer.op},
                              {"input_shape", facts.input_shape},
                              {"output_shape", facts.output_shape},
                              {"weight_shape", weight.sizes().vec()},
                              {"weights", weight.numel()},
                              {"macs", facts.macs},
                              {"tied_group", layer.tied_group < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(layer.tied_group)}});
    weights += weight.numel();
    macs += facts.macs;
  }
  json["weights"] = weights;
  json["macs"] = macs;
  json["left_in_float"] = nlohmann::ordered_json::array();
  for (const FloatOperator& each : network.left_in_float())
    json["left_in_float"].push_back({{"operator", each.op}, {"name", each.name}, {"reason", each.reason}});
  return json.dump(1);
}

void Print(const Network& network, const NetworkProfile& profile) {
  Table table({"layer", "operator", "input", "output", "weight", "weights", "MACs", "tied"});
  std::int64_t weights = 0, macs = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerProfile& facts = profile.layers[i];
    const at::Tensor weight = network.Weight(layer);
    table.Add({layer.name, layer.op, Shape(facts.input_shape), Shape(facts.output_shape), Shape(weight.sizes().vec()),
               WithCommas(weight.numel()), WithCommas(facts.macs), layer.tied_group < 0 ? "-" : std::to_string(layer.tied_group)});
    weights += weight.numel();
    macs += facts.macs;
  }
  table.Add({"total", "", "", Shape(profile.output_shape), "", WithCommas(weights), WithCommas(macs), ""});
  fmt::print("{}", table.Text());
  if (network.layers().empty()) fmt::print("\nno layer of this model can be quantized\n");
  if (network.left_in_float().empty()) return;
  Table left({"left in float", "", "why"});
  for (const FloatOperator& each : network.left_in_float()) left.Add({each.op, each.name, each.reason});
  fmt::print("\n{}", left.Text());
}

}  // namespace

int Inspect(const Arguments& arguments) {
  CommandLine line("inspect MODEL.pt --input 3,32,32 [options]",
                   "Shows each layer: operator, shapes for one sample, weights, multiply-accumulates, and which layers read the same "
                   "tensor (tied).");
  line.AddPositional("MODEL.pt", "TorchScript file");
  AddOneSampleOptions(line);
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;
  const Network network = Network::Load(line.Required("MODEL.pt"), ReadModelOptions(line));
  const NetworkProfile profile = ProfileNetwork(network, OneSample(line, network));
  if (WriteJson(line, ToJson(network, profile))) Print(network, profile);
  return kDone;
}

}  // namespace bitplan::cli
