#include "cost/pin.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "bitplan/error.h"
#include "cost/layer_pattern.h"

namespace bitplan {

namespace {

std::string Describe(const Pin& pin) {
  const std::string weight = pin.weight_bits ? fmt::format("w{}", pin.weight_bits) : "";
  return fmt::format("{}={}{}", pin.pattern, weight,
                     pin.activation_bits ? fmt::format("a{}", pin.activation_bits) : "");
}

void Restrict(std::vector<Perturbation>& offered, const std::vector<Perturbation>& analyzed, int bits, const Pin& pin,
              const std::string& layer, std::string_view what) {
  const auto found =
      std::find_if(analyzed.begin(), analyzed.end(), [&](const Perturbation& choice) { return choice.bits == bits; });
  if (found != analyzed.end()) {
    offered = {*found};
    return;
  }
  std::string widths;
  for (const Perturbation& choice : analyzed) widths += fmt::format("{}{}", widths.empty() ? "" : ", ", choice.bits);
  throw Error(
      fmt::format("keep {}: layer '{}' was analyzed at {} bits {}, not {}", Describe(pin), layer, what, widths, bits));
}

}  // namespace

Pin ParsePin(std::string_view text) {
  const auto reject = [&](const std::string& why) {
    return Error(fmt::format("keep '{}': {}; expected LAYER=8, LAYER=w8, LAYER=a8 or LAYER=w8a8", text, why));
  };
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos) throw reject("there is no '='");
  if (equals == 0) throw reject("there is no layer in front of '='");
  std::string_view widths = text.substr(equals + 1);
  // Takes the number off the front of `widths`.
  const auto take_width = [&] {
    int bits = 0;
    const auto [end, status] = std::from_chars(widths.data(), widths.data() + widths.size(), bits);
    if (status != std::errc()) throw reject(fmt::format("'{}' is not a width", widths));
    if (!IsWidth(bits)) throw reject(fmt::format("{} is not a width, those are 2 to 8, 16 and 32", bits));
    widths.remove_prefix(static_cast<std::size_t>(end - widths.data()));
    return bits;
  };
  Pin pin{std::string(text.substr(0, equals)), 0, 0};
  const bool bare = !widths.starts_with('w') && !widths.starts_with('a');
  if (bare || widths.starts_with('w')) {
    if (!bare) widths.remove_prefix(1);
    pin.weight_bits = take_width();
  }
  if (!bare && widths.starts_with('a')) {
    widths.remove_prefix(1);
    pin.activation_bits = take_width();
  }
  if (!widths.empty()) throw reject(fmt::format("'{}' is left over", widths));
  return pin;
}

std::vector<OfferedWidths> ApplyPins(const Sensitivity& sensitivity, const std::vector<Pin>& pins) {
  const auto& layers = sensitivity.layers;
  std::vector<OfferedWidths> offered;
  for (const LayerSensitivity& layer : layers) offered.push_back({layer.weight_choices, layer.activation_choices});
  for (const Pin& pin : pins) {
    const std::vector<std::size_t> matches = MatchingLayers(layers, pin.pattern);
    if (matches.empty())
      throw Error(
          fmt::format("keep {}: no layer or operator is called that; bitplan inspect lists them", Describe(pin)));
    for (const std::size_t i : matches) {
      if (pin.weight_bits)
        Restrict(offered[i].weights, layers[i].weight_choices, pin.weight_bits, pin, layers[i].name, "weight");
      const bool has_input = layers[i].input_count > 0;
      if (pin.activation_bits && (has_input || layers[i].name == pin.pattern))
        Restrict(offered[i].activations, layers[i].activation_choices, pin.activation_bits, pin, layers[i].name,
                 "input");
    }
  }
  return offered;
}

}  // namespace bitplan
