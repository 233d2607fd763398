#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "bitplan/cost.h"
#include "bitplan/error.h"
#include "choice_costs.h"

namespace bitplan {

namespace {

std::string Widths(const std::vector<int>& widths) {
  return widths.empty() ? "any" : fmt::format("{}", fmt::join(widths, ", "));
}

}  // namespace

std::map<std::string, double> LayerCosts(const LayerSensitivity& layer, int weight_bits, int activation_bits,
                                         std::int64_t all_weights) {
  const double bits = static_cast<double>(layer.weight_count) * weight_bits;
  return {{"weight_size_bytes", std::ceil(bits / 8)},
          {"macs", static_cast<double>(layer.macs)},
          {"bops", static_cast<double>(layer.macs) * weight_bits * activation_bits},
          {"average_bits", bits / static_cast<double>(std::max<std::int64_t>(all_weights, 1))}};
}

}  // namespace bitplan

namespace bitplan::cost {

std::map<std::string, double> ChoiceCosts(const Sensitivity& sensitivity, std::size_t layer, int weight_bits,
                                          int activation_bits, std::int64_t all_weights) {
  auto costs = LayerCosts(sensitivity.layers[layer], weight_bits, activation_bits, all_weights);
  for (const CostTable& table : sensitivity.costs) {
    const auto value = table.At(layer, weight_bits, activation_bits);
    if (!value)
      throw Error(fmt::format(
          "cost table {} ({}) has nothing for layer '{}' at w{}a{}; it has weight widths {} and activation widths {}",
          table.cost, table.source, sensitivity.layers[layer].name, weight_bits, activation_bits,
          Widths(table.weight_bits), Widths(table.activation_bits)));
    costs[table.cost] = *value + (layer == 0 ? table.fixed : 0);
  }
  return costs;
}

}  // namespace bitplan::cost

namespace bitplan {

std::int64_t WeightCount(const Sensitivity& sensitivity) {
  std::int64_t all = 0;
  for (const LayerSensitivity& layer : sensitivity.layers) all += layer.weight_count;
  return all;
}

std::map<std::string, double> UniformCosts(const Sensitivity& sensitivity, int weight_bits, int activation_bits) {
  const auto input_bits = [&](std::size_t i) { return sensitivity.layers[i].input_count > 0 ? activation_bits : 32; };
  const std::int64_t all_weights = WeightCount(sensitivity);
  std::map<std::string, double> total;
  for (std::size_t i = 0; i < sensitivity.layers.size(); ++i)
    for (const auto& [cost, value] : LayerCosts(sensitivity.layers[i], weight_bits, input_bits(i), all_weights))
      total[cost] += value;
  for (const CostTable& table : sensitivity.costs) {
    std::optional<double> sum = table.fixed;
    for (std::size_t i = 0; i < table.layers.size() && sum; ++i) {
      const auto value = table.At(i, weight_bits, input_bits(i));
      sum = value ? std::optional(*sum + *value) : std::nullopt;
    }
    if (sum) total[table.cost] = *sum;
  }
  return total;
}

std::map<std::string, double> FloatCosts(const Sensitivity& sensitivity) { return UniformCosts(sensitivity, 32, 32); }

LayerBits WidestUniform(const Sensitivity& sensitivity, const std::map<std::string, double>& budgets,
                        const std::vector<int>& weight_bits, const std::vector<int>& activation_bits) {
  LayerBits widest{"", 0, 0};
  for (const int weight : weight_bits) {
    for (const int activation : activation_bits) {
      const auto costs = UniformCosts(sensitivity, weight, activation);
      const bool fits = std::all_of(budgets.begin(), budgets.end(), [&](const auto& budget) {
        const auto cost = costs.find(budget.first);
        return cost != costs.end() && cost->second <= LimitWithTolerance(budget.second);
      });
      const bool wider =
          weight > widest.weight_bits || (weight == widest.weight_bits && activation > widest.activation_bits);
      if (fits && wider) widest = {"", weight, activation};
    }
  }
  return widest;
}

}  // namespace bitplan
