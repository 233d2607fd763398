#include "cli/target_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "bitplan/error.h"

namespace bitplan::cli {

namespace {

/// Numbers as the target has them; how ranges are found stays as the options say.
Format WithNumbers(Format format, const Format& target) {
  format.type = target.type;
  format.scheme = target.scheme;
  format.granularity = target.granularity;
  format.scale_type = target.scale_type;
  format.narrow_range = target.narrow_range;
  format.reduce_range = target.reduce_range;
  return format;
}

std::vector<int> Union(const std::vector<Pin>& pins, std::vector<int> Pin::* widths) {
  std::set<int> all;
  for (const Pin& pin : pins) all.insert((pin.*widths).begin(), (pin.*widths).end());
  return {all.begin(), all.end()};
}

void Intersect(std::vector<int>& offered, const std::vector<int>& asked, const std::string& layer, const char* option) {
  if (offered.empty()) return;  // no input
  const std::string widths = fmt::format("{}", fmt::join(offered, ", "));
  std::erase_if(offered, [&](int bits) { return std::find(asked.begin(), asked.end(), bits) == asked.end(); });
  if (offered.empty()) throw Error(fmt::format("--{}: none of the widths that the target offers for layer '{}' ({})", option, layer, widths));
}

}  // namespace

void AddTargetOption(CommandLine& line, const char* what) {
  line.Add()("target", po::value<std::string>()->value_name("NAME|FILE"), fmt::format("{}: {} or a file", what, fmt::join(TargetNames(), ", ")).c_str());
}

std::optional<Target> ReadTargetOption(const CommandLine& line) {
  if (!line.Has("target")) return std::nullopt;
  return ReadTarget(line.Get<std::string>("target"));
}

std::vector<Pin> ApplyTarget(const CommandLine& line, const Network& network, const Target& target, AnalyzeOptions& options) {
  for (const char* option : {"weight-type", "weight-scheme", "weight-granularity", "weight-group", "weight-scales", "narrow-range",
                             "reduce-range", "activation-type", "activation-scheme", "activation-scales"})
    if (!line.IsDefault(option)) throw Error(fmt::format("--{}: that is for --target {} to say", option, target.name));
  options.weight_format = WithNumbers(options.weight_format, target.weight);
  options.activation_format = WithNumbers(options.activation_format, target.activation);
  options.operands = TargetOperands(network, target);
  for (OperandFormat& operand : options.operands) operand.format = WithNumbers(options.activation_format, target.activation).WithBits(operand.format.bits);
  std::vector<Pin> pins = TargetPins(network, target);
  if (line.IsDefault("weight-bits")) options.weight_bits = Union(pins, &Pin::weight_bits);
  if (line.IsDefault("activation-bits")) options.activation_bits = Union(pins, &Pin::activation_bits);
  if (options.activation_bits.empty()) options.activation_bits = {32};
  for (Pin& pin : pins) {
    Intersect(pin.weight_bits, options.weight_bits, pin.pattern, "weight-bits");
    Intersect(pin.activation_bits, options.activation_bits, pin.pattern, "activation-bits");
  }
  options.Validate();
  return pins;
}

}  // namespace bitplan::cli
