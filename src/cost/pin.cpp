#include "pin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "bitplan/error.h"
#include "cost/layer_pattern.h"

namespace bitplan {

namespace {

std::string Describe(const Pin& pin) {
  const auto widths = [](char of, const std::vector<int>& bits) {
    return bits.empty() ? "" : fmt::format("{}{}", of, fmt::join(bits, ","));
  };
  return fmt::format("{}={}{}", pin.pattern, widths('w', pin.weight_bits), widths('a', pin.activation_bits));
}

/// What of `analyzed` has one of the widths `bits`.
std::vector<Perturbation> Restrict(const std::vector<Perturbation>& analyzed, const std::vector<int>& bits,
                                   const Pin& pin, const std::string& layer, std::string_view what) {
  std::vector<Perturbation> offered;
  std::vector<int> widths;
  for (const Perturbation& choice : analyzed) {
    widths.push_back(choice.bits);
    if (std::find(bits.begin(), bits.end(), choice.bits) != bits.end()) offered.push_back(choice);
  }
  for (const int width : bits)
    if (std::find(widths.begin(), widths.end(), width) == widths.end())
      throw Error(fmt::format("keep {}: layer '{}' was analyzed at {} bits {}, not {}", Describe(pin), layer, what,
                              fmt::join(widths, ", "), width));
  return offered;
}

}  // namespace

Pin ParsePin(std::string_view text) {
  const auto reject = [&](const std::string& why) {
    return Error(fmt::format(
        "keep '{}': {}; expected LAYER=8, LAYER=w8, LAYER=a8, LAYER=w8a8 or with several widths LAYER=w4,8a8", text,
        why));
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
    if (!IsWidth(bits)) throw reject(fmt::format("{} is not a width, those are 1 to 8, 16 and 32", bits));
    widths.remove_prefix(static_cast<std::size_t>(end - widths.data()));
    return bits;
  };
  const auto take_widths = [&] {
    std::vector<int> bits{take_width()};
    while (widths.starts_with(',')) {
      widths.remove_prefix(1);
      bits.push_back(take_width());
    }
    return bits;
  };
  Pin pin{std::string(text.substr(0, equals))};
  const bool bare = !widths.starts_with('w') && !widths.starts_with('a');
  if (bare || widths.starts_with('w')) {
    if (!bare) widths.remove_prefix(1);
    pin.weight_bits = take_widths();
  }
  if (!bare && widths.starts_with('a')) {
    widths.remove_prefix(1);
    pin.activation_bits = take_widths();
  }
  if (!widths.empty()) throw reject(fmt::format("'{}' is left over", widths));
  return pin;
}

namespace {

/// Whether the two have a width in common.
bool Meet(const std::vector<int>& widths, const std::vector<Perturbation>& offered) {
  return std::any_of(offered.begin(), offered.end(), [&](const Perturbation& choice) {
    return std::find(widths.begin(), widths.end(), choice.bits) != widths.end();
  });
}

/// Throws where pins that come later leave one no effect at all: of each layer that it names they say something else.
void RefuseContradictions(const Sensitivity& sensitivity, const std::vector<Pin>& pins,
                          const std::vector<cost::OfferedWidths>& offered) {
  const auto is_contradicted = [&](const Pin& pin, std::vector<int> Pin::* widths,
                                   std::vector<Perturbation> cost::OfferedWidths::* kind) {
    if ((pin.*widths).empty()) return false;
    const std::vector<std::size_t> matches = cost::MatchingLayers(sensitivity.layers, pin.pattern);
    return std::all_of(matches.begin(), matches.end(), [&](std::size_t i) {
      const bool applies = widths == &Pin::weight_bits || sensitivity.layers[i].input_count > 0;
      return applies && !Meet(pin.*widths, offered[i].*kind);
    });
  };
  const auto last_of = [&](std::size_t layer, std::vector<int> Pin::* widths) {
    return *std::find_if(pins.rbegin(), pins.rend(), [&](const Pin& pin) {
      const std::vector<std::size_t> matches = cost::MatchingLayers(sensitivity.layers, pin.pattern);
      return !(pin.*widths).empty() && std::find(matches.begin(), matches.end(), layer) != matches.end();
    });
  };
  const auto refuse = [&](const Pin& pin, std::vector<int> Pin::* widths) {
    const std::size_t layer = cost::MatchingLayers(sensitivity.layers, pin.pattern).front();
    throw Error(
        fmt::format("keep {}: contradicted by keep {}, which comes later and so counts; leave one of them out, "
                    "or put the one for fewer layers last",
                    Describe(pin), Describe(last_of(layer, widths))));
  };
  for (const Pin& pin : pins) {
    if (is_contradicted(pin, &Pin::weight_bits, &cost::OfferedWidths::weights)) refuse(pin, &Pin::weight_bits);
    if (is_contradicted(pin, &Pin::activation_bits, &cost::OfferedWidths::activations))
      refuse(pin, &Pin::activation_bits);
  }
}

}  // namespace

}  // namespace bitplan

namespace bitplan::cost {

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
      if (!pin.weight_bits.empty())
        offered[i].weights = Restrict(layers[i].weight_choices, pin.weight_bits, pin, layers[i].name, "weight");
      const bool has_input = layers[i].input_count > 0;
      if (!pin.activation_bits.empty() && (has_input || layers[i].name == pin.pattern))
        offered[i].activations =
            Restrict(layers[i].activation_choices, pin.activation_bits, pin, layers[i].name, "input");
    }
  }
  RefuseContradictions(sensitivity, pins, offered);
  return offered;
}

}  // namespace bitplan::cost
