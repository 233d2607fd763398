#include "target_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "bitplan/error.h"
#include "cost/layer_pattern.h"
#include "format_options.h"

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

/// Throws Error where an option says what is the target's to say.
void RefuseNumbers(const CommandLine& line, const Target& target) {
  for (const char* const option : kNumberOptions)
    if (!line.IsDefault(option)) throw Error(fmt::format("--{}: that is for --target {} to say", option, target.name));
}

std::vector<int> Union(const std::vector<Pin>& pins, std::vector<int> Pin::* widths) {
  std::set<int> all;
  for (const Pin& pin : pins) all.insert((pin.*widths).begin(), (pin.*widths).end());
  return {all.begin(), all.end()};
}

std::vector<int> WidthsOf(const std::vector<Perturbation>& choices) {
  std::vector<int> widths;
  for (const Perturbation& choice : choices) widths.push_back(choice.bits);
  return widths;
}

void Intersect(std::vector<int>& offered, const std::vector<int>& asked, const std::string& layer,
               std::string_view option) {
  if (offered.empty()) return;  // no input
  const std::string widths = fmt::format("{}", fmt::join(offered, ", "));
  std::erase_if(offered, [&](int bits) { return std::find(asked.begin(), asked.end(), bits) == asked.end(); });
  if (offered.empty())
    throw Error(
        fmt::format("--{}: none of the widths that the target offers for layer '{}' ({})", option, layer, widths));
}

/// `asked`, as they were, for their names to be checked; then what they leave of the target's, a later one in the place
/// of an earlier.
template <typename NamedLayer>
std::vector<Pin> NarrowedBy(const std::vector<Pin>& asked, std::vector<Pin> pins,
                            const std::vector<NamedLayer>& layers) {
  const std::vector<Pin> of_target = pins;
  for (const Pin& pin : asked)
    for (const std::size_t layer : cost::MatchingLayers(layers, pin.pattern)) {
      const auto found =
          std::find_if(pins.begin(), pins.end(), [&](const Pin& each) { return each.pattern == layers[layer].name; });
      if (found == pins.end()) continue;
      const Pin& whole = of_target[static_cast<std::size_t>(found - pins.begin())];
      const auto narrow = [&](std::vector<int> Pin::* widths) {
        if ((pin.*widths).empty()) return;
        (*found).*widths = whole.*widths;
        Intersect((*found).*widths, pin.*widths, found->pattern, fmt::format("keep {}", pin.pattern));
      };
      narrow(&Pin::weight_bits);
      narrow(&Pin::activation_bits);
    }
  pins.insert(pins.begin(), asked.begin(), asked.end());
  return pins;
}

}  // namespace

void AddTargetOption(CommandLine& line, const char* what) { line.Add({{"target", ReadFileOr(TargetNames()), what}}); }

std::optional<Target> ReadTargetOption(const CommandLine& line) {
  if (!line.Has("target")) return std::nullopt;
  return ReadTarget(line.Get<std::string>("target"));
}

Plan MakeTargetPlan(const CommandLine& line, const Network& network, Target target) {
  RefuseNumbers(line, target);
  const Formats formats = ReadFormats(line);
  target.weight = WithNumbers(formats.weight, target.weight);
  target.activation = WithNumbers(formats.activation, target.activation);
  return bitplan::MakeTargetPlan(network, target);
}

std::vector<Pin> ApplyTarget(const CommandLine& line, const Network& network, const Target& target,
                             AnalyzeOptions& options, const std::vector<Pin>& asked) {
  RefuseNumbers(line, target);
  options.weight_format = WithNumbers(options.weight_format, target.weight);
  options.activation_format = WithNumbers(options.activation_format, target.activation);
  options.operands = TargetOperands(network, target);
  for (OperandFormat& operand : options.operands)
    operand.format = WithNumbers(options.activation_format, target.activation).WithBits(operand.format.bits);
  std::vector<Pin> pins = TargetPins(network, target);
  if (line.IsDefault("weight-bits")) options.weight_bits = Union(pins, &Pin::weight_bits);
  if (line.IsDefault("activation-bits")) options.activation_bits = Union(pins, &Pin::activation_bits);
  if (options.activation_bits.empty()) options.activation_bits = {32};
  for (Pin& pin : pins) {
    Intersect(pin.weight_bits, options.weight_bits, pin.pattern, "weight-bits");
    Intersect(pin.activation_bits, options.activation_bits, pin.pattern, "activation-bits");
  }
  options.Validate();
  return NarrowedBy(asked, std::move(pins), network.layers());
}

std::vector<Pin> ApplyTarget(const Sensitivity& sensitivity, const Target& target, const std::vector<Pin>& asked) {
  if (WithNumbers(sensitivity.weight_format, target.weight) != sensitivity.weight_format ||
      WithNumbers(sensitivity.activation_format, target.activation) != sensitivity.activation_format)
    throw Error(
        fmt::format("--target {0}: the sensitivity file is of other formats; analyze --target {0}", target.name));
  std::vector<Pin> pins = TargetPins(sensitivity, target);
  for (std::size_t i = 0; i < pins.size(); ++i) {
    const LayerSensitivity& layer = sensitivity.layers[i];
    Intersect(pins[i].weight_bits, WidthsOf(layer.weight_choices), layer.name, "weight-bits of the analysis");
    Intersect(pins[i].activation_bits, WidthsOf(layer.activation_choices), layer.name,
              "activation-bits of the analysis");
  }
  return NarrowedBy(asked, std::move(pins), sensitivity.layers);
}

}  // namespace bitplan::cli
