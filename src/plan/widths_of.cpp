#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "bitplan/plan.h"

namespace bitplan {

namespace {

std::string Span(char letter, const std::set<int>& bits) {
  return *bits.begin() == *bits.rbegin() ? fmt::format("{}{}", letter, *bits.begin())
                                         : fmt::format("{}{}-{}", letter, *bits.begin(), *bits.rbegin());
}

}  // namespace

std::string WidthsOf(const Plan& plan) {
  if (plan.layers.empty()) return "";
  std::set<int> weights, activations;
  std::set<std::string_view> types;
  for (const LayerPlan& layer : plan.layers) {
    weights.insert(layer.weight.bits);
    activations.insert(layer.activation.bits);
    for (const Format& format : {layer.weight, layer.activation})
      if (!format.IsInteger() && format.type != NumberType::Float32) types.insert(ToString(format.type));
  }
  const std::string widths = Span('w', weights) + Span('a', activations);
  return types.empty() ? widths : fmt::format("{} ({})", widths, fmt::join(types, ", "));
}

}  // namespace bitplan
