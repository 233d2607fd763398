#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "bitplan/network.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/report.h"

namespace bitplan::cli {

namespace {

std::vector<at::Tensor> OneSample(const CommandLine& line, const Network& network) {
  if (line.Has("data")) {
    const Dataset data = Dataset::Load(line.Get<std::string>("data"), {});
    return data.Get(0, 1, at::Device(network.device())).inputs;
  }
  const auto shapes = line.List("input");
  if (shapes.empty())
    throw Error(fmt::format("--input is missing: the shape of one sample for each of the model's inputs ({}), e.g. --input 3,32,32; "
                            "or --data",
                            fmt::join(network.input_names(), ", ")));
  return ExampleInputs(shapes, network.device());
}

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
  line.Add()("input", po::value<std::vector<std::string>>()->value_name("SHAPE"),
             "shape of one sample, without the batch axis; 16:int64 for token numbers; once for each input")(
      "data", po::value<std::string>()->value_name("KIND:FILE"), "take the first sample of this data instead");
  AddModelOptions(line);
  if (!line.Parse(arguments)) return kDone;
  const Network network = Network::Load(line.Required("MODEL.pt"), ReadModelOptions(line));
  const NetworkProfile profile = ProfileNetwork(network, OneSample(line, network));
  if (WriteJson(line, ToJson(network, profile))) Print(network, profile);
  return kDone;
}

}  // namespace bitplan::cli
