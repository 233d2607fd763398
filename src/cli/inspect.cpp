#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/network.h"
#include "command.h"
#include "memory_option.h"
#include "one_sample.h"
#include "options.h"
#include "plan/format_json.h"
#include "report.h"
#include "target_options.h"
#include "text/shortened.h"

namespace bitplan::cli {

namespace {

nlohmann::ordered_json PlacementJson(const Target& target, const Placement& placement) {
  nlohmann::ordered_json json{{"target", target.name},
                              {"weights", nlohmann::ordered_json::array()},
                              {"tensors", nlohmann::ordered_json::array()},
                              {"left_in_float", nlohmann::ordered_json::array()}};
  for (const PlacedWeight& weight : placement.weights)
    json["weights"].push_back({{"layer", weight.layer}, {"format", plan::FormatJson(weight.format)}});
  for (const PlacedTensor& tensor : placement.tensors)
    json["tensors"].push_back(
        {{"sites", tensor.sites}, {"readers", tensor.readers}, {"format", plan::FormatJson(tensor.format)}});
  for (const LeftInFloat& left : placement.left_in_float)
    json["left_in_float"].push_back({{"reader", left.reader}, {"site", left.site}, {"reason", left.reason}});
  return json;
}

nlohmann::ordered_json ToJson(const NamedOutput& output) {
  nlohmann::ordered_json json{{"name", output.name}, {"shape", output.shape}};
  if (!output.left_out.empty()) json["left_out"] = output.left_out;
  return json;
}

nlohmann::ordered_json ToJson(const Network& network, const NetworkSummary& profile,
                              const std::vector<NamedOutput>& outputs) {
  nlohmann::ordered_json json;
  json["schema"] = "bitplan.inspection/1";
  json["model_sha256"] = network.sha256();
  json["inputs"] = network.input_names();
  json["output_shape"] = profile.output_shape;
  for (const NamedOutput& output : outputs) json["outputs"].push_back(ToJson(output));
  json["layers"] = nlohmann::ordered_json::array();
  std::int64_t weights = 0, macs = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerSummary& facts = profile.layers[i];
    const at::Tensor weight = network.Weight(layer);
    json["layers"].push_back(
        {{"name", layer.name},
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
  if (!network.remarks().empty()) json["remarks"] = network.remarks();
  return json;
}

void Print(const Network& network, const NetworkSummary& profile, const std::string& left_title) {
  Table table({"layer", "operator", "input", "output", "weight", "weights", "MACs", "tied"});
  std::int64_t weights = 0, macs = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerSummary& facts = profile.layers[i];
    const at::Tensor weight = network.Weight(layer);
    table.Add({layer.name, layer.op, Shape(facts.input_shape), Shape(facts.output_shape), Shape(weight.sizes().vec()),
               WithCommas(weight.numel()), WithCommas(facts.macs),
               layer.tied_group < 0 ? "-" : std::to_string(layer.tied_group)});
    weights += weight.numel();
    macs += facts.macs;
  }
  table.Add({"total", "", "", Shape(profile.output_shape), "", WithCommas(weights), WithCommas(macs), ""});
  fmt::print("{}", table.Text());
  if (network.layers().empty()) fmt::print("\nno layer of this model can be quantized\n");
  for (const std::string& remark : network.remarks()) fmt::print("\nthe model was {}\n", remark);
  if (network.left_in_float().empty()) return;
  Table left({left_title, "", "why"});
  for (const FloatOperator& each : network.left_in_float()) left.Add({each.op, each.name, each.reason});
  fmt::print("\n{}", left.Text());
}

void Print(const std::vector<NamedOutput>& outputs) {
  if (outputs.empty()) return;
  Table table({"output", "a sample", "left out"});
  for (const NamedOutput& output : outputs) table.Add({output.name, Shape(output.shape), output.left_out});
  fmt::print("\n{}", table.Text());
}

std::string Describe(const Format& format) {
  return format.IsInteger() ? fmt::format("{} bits {}", format.bits, ToString(format.scheme))
                            : fmt::format("{} bits {}", format.bits, ToString(format.type));
}

void Print(const Target& target, const Placement& placement) {
  Table table({"quantized on " + target.name, "read by", "grid"});
  for (const PlacedWeight& weight : placement.weights)
    table.Add({weight.layer + ".weight", weight.layer,
               fmt::format("{} per {}", Describe(weight.format), ToString(weight.format.granularity))});
  for (const PlacedTensor& tensor : placement.tensors)
    table.Add({tensor.sites.front(), text::Shortened(tensor.readers), Describe(tensor.format)});
  fmt::print("\n{}", table.Text());
  if (placement.left_in_float.empty()) return;
  Table left({"left in float on " + target.name, "", "why"});
  for (const LeftInFloat& each : placement.left_in_float) left.Add({each.reader, each.site, each.reason});
  fmt::print("\n{}", left.Text());
}

}  // namespace

int Inspect(const Arguments& arguments) {
  CommandLine line("inspect MODEL.pt --input 3,32,32 [options]",
                   "Shows each layer: operator, shapes for one sample, weights, multiply-accumulates, and which layers "
                   "read the same "
                   "tensor (tied).");
  line.AddPositional("MODEL.pt", ReadFile(), "TorchScript or torch.export file");
  AddOneSampleOptions(line);
  AddModelOptions(line);
  AddTargetOption(line, "show where a device's compiler puts quantizers");
  line.Add({{"svg", WrittenFile(), "draw that", {{"target"}}}});
  if (!line.Parse(arguments)) return kDone;
  const std::optional<Target> target = ReadTargetOption(line);
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = target.has_value();
  const Network network = LoadNetwork(line, network_options);
  ReadMemory(line, network, {});
  const std::vector<at::Tensor> sample = OneSample(line, network);
  const NetworkSummary profile = Summarize(network, sample);
  const std::vector<NamedOutput> outputs = network.Outputs(sample);
  const std::optional<Placement> placement = target ? std::optional(Place(network, *target)) : std::nullopt;
  if (line.Has("svg")) WriteFile(line.Get<std::string>("svg"), ToSvg(network, *placement));
  nlohmann::ordered_json json = ToJson(network, profile, outputs);
  if (placement) json["placement"] = PlacementJson(*target, *placement);
  if (!WriteJson(line, json.dump(1))) return kDone;
  Print(network, profile, target ? "no layer" : "left in float");
  Print(outputs);
  if (placement) Print(*target, *placement);
  return kDone;
}

}  // namespace bitplan::cli
