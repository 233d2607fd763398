#include "cost/pin.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <regex>

#include "bitplan/error.h"

namespace bitplan {

namespace {

std::string Describe(const Pin& pin) {
  const std::string weight = pin.weight_bits ? fmt::format("w{}", pin.weight_bits) : "";
  return fmt::format("{}={}{}", pin.pattern, weight, pin.activation_bits ? fmt::format("a{}", pin.activation_bits) : "");
}

/// Layers that a pattern names: by exact name, else first and last, else by wildcard, else by operator.
std::vector<std::size_t> Matches(const std::vector<LayerSensitivity>& layers, const std::string& pattern) {
  std::vector<std::size_t> found;
  const auto collect = [&](const auto& matches) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (matches(layers[i])) found.push_back(i);
    return !found.empty();
  };
  if (collect([&](const LayerSensitivity& layer) { return layer.name == pattern; })) return found;
  if (!layers.empty() && pattern == "first") return {0};
  if (!layers.empty() && pattern == "last") return {layers.size() - 1};
  if (collect([&](const LayerSensitivity& layer) { return fnmatch(pattern.c_str(), layer.name.c_str(), 0) == 0; })) return found;
  collect([&](const LayerSensitivity& layer) { return layer.op == pattern; });
  return found;
}

void Restrict(std::vector<Perturbation>& offered, const std::vector<Perturbation>& analyzed, int bits, const Pin& pin,
              const std::string& layer, std::string_view what) {
  const auto found = std::find_if(analyzed.begin(), analyzed.end(), [&](const Perturbation& choice) { return choice.bits == bits; });
  if (found != analyzed.end()) {
    offered = {*found};
    return;
  }
  std::string widths;
  for (const Perturbation& choice : analyzed) widths += fmt::format("{}{}", widths.empty() ? "" : ", ", choice.bits);
  throw Error(fmt::format("keep {}: layer '{}' was analyzed at {} bits {}, not {}", Describe(pin), layer, what, widths, bits));
}

}  // namespace

Pin ParsePin(std::string_view text) {
  static const std::regex form(R"((.+)=(?:w?(\d{1,2}))?(?:a(\d{1,2}))?)");
  std::match_results<std::string_view::const_iterator> parts;
  if (!std::regex_match(text.begin(), text.end(), parts, form) || (!parts[2].matched && !parts[3].matched))
    throw Error(fmt::format("keep '{}': expected LAYER=8, LAYER=w8, LAYER=a8 or LAYER=w8a8", text));
  Pin pin{parts[1].str(), 0, 0};
  if (parts[2].matched) pin.weight_bits = std::stoi(parts[2].str());
  if (parts[3].matched) pin.activation_bits = std::stoi(parts[3].str());
  for (const auto& part : {std::pair(parts[2].matched, pin.weight_bits), std::pair(parts[3].matched, pin.activation_bits)})
    if (part.first && !((part.second >= 2 && part.second <= 8) || part.second == 16 || part.second == 32))
      throw Error(fmt::format("keep '{}': {} is not a width; expected 2 to 8, 16 or 32", text, part.second));
  return pin;
}

std::vector<OfferedWidths> ApplyPins(const Sensitivity& sensitivity, const std::vector<Pin>& pins) {
  const auto& layers = sensitivity.layers;
  std::vector<OfferedWidths> offered;
  for (const LayerSensitivity& layer : layers) offered.push_back({layer.weight_choices, layer.activation_choices});
  for (const Pin& pin : pins) {
    const std::vector<std::size_t> matches = Matches(layers, pin.pattern);
    if (matches.empty())
      throw Error(fmt::format("keep {}: no layer or operator is called that; bitplan inspect lists them", Describe(pin)));
    for (const std::size_t i : matches) {
      if (pin.weight_bits) Restrict(offered[i].weights, layers[i].weight_choices, pin.weight_bits, pin, layers[i].name, "weight");
      const bool has_input = layers[i].input_count > 0;
      if (pin.activation_bits && (has_input || layers[i].name == pin.pattern))
        Restrict(offered[i].activations, layers[i].activation_choices, pin.activation_bits, pin, layers[i].name, "input");
    }
  }
  return offered;
}

}  // namespace bitplan
