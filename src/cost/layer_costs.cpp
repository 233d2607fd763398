#include <algorithm>
#include <cmath>

#include "bitplan/cost.h"

namespace bitplan {

namespace {

std::int64_t AllWeights(const Sensitivity& sensitivity) {
  std::int64_t all = 0;
  for (const LayerSensitivity& layer : sensitivity.layers) all += layer.weight_count;
  return all;
}

std::map<std::string, double> NetworkCosts(const Sensitivity& sensitivity, int weight_bits, int activation_bits) {
  std::map<std::string, double> total;
  const std::int64_t all = AllWeights(sensitivity);
  for (const LayerSensitivity& layer : sensitivity.layers) {
    const int input_bits = layer.input_count > 0 ? activation_bits : 32;
    for (const auto& [cost, value] : LayerCosts(layer, weight_bits, input_bits, all)) total[cost] += value;
  }
  return total;
}

}  // namespace

std::map<std::string, double> LayerCosts(const LayerSensitivity& layer, int weight_bits, int activation_bits,
                                         std::int64_t all_weights) {
  const double bits = static_cast<double>(layer.weight_count) * weight_bits;
  return {{"weight_size_bytes", std::ceil(bits / 8)},
          {"bops", static_cast<double>(layer.macs) * weight_bits * activation_bits},
          {"average_bits", bits / static_cast<double>(std::max<std::int64_t>(all_weights, 1))}};
}

std::map<std::string, double> FloatCosts(const Sensitivity& sensitivity) { return NetworkCosts(sensitivity, 32, 32); }

LayerBits WidestUniform(const Sensitivity& sensitivity, const std::map<std::string, double>& budgets,
                        const std::vector<int>& weight_bits, const std::vector<int>& activation_bits) {
  constexpr double kRounding = 1 + 1e-9;
  LayerBits widest{"", 0, 0};
  for (const int weight : weight_bits) {
    for (const int activation : activation_bits) {
      const auto costs = NetworkCosts(sensitivity, weight, activation);
      const bool fits = std::all_of(budgets.begin(), budgets.end(), [&](const auto& budget) {
        const auto cost = costs.find(budget.first);
        return cost == costs.end() || cost->second <= budget.second * kRounding;
      });
      const bool wider =
          weight > widest.weight_bits || (weight == widest.weight_bits && activation > widest.activation_bits);
      if (fits && wider) widest = {"", weight, activation};
    }
  }
  return widest;
}

}  // namespace bitplan
