#include "bitplan/energy.h"

#include <algorithm>

#include "moved_bytes.h"

namespace bitplan {

namespace {

double MacEnergy(const EnergyModel& model, int weight_bits, int activation_bits) {
  const int wider = std::max(weight_bits, activation_bits);
  if (wider > 16) return model.float32_mac_pj;
  if (wider > 8) return model.float16_mac_pj;
  return model.int8_multiply_pj * weight_bits * activation_bits / 64 + model.int32_add_pj;
}

}  // namespace

CostTable Energy(const std::vector<LayerWork>& layers, const EnergyModel& model, const std::vector<int>& weight_bits,
                 const std::vector<int>& activation_bits) {
  const auto energy = [&](std::size_t i, int weight, int activation) {
    const LayerWork& layer = layers[i];
    const double picojoules =
        static_cast<double>(layer.macs) * MacEnergy(model, weight, activation) +
        cost::PackedBytes(layer.weights, weight) * model.weight_byte_pj +
        (cost::PackedBytes(layer.inputs, activation) + cost::PackedBytes(layer.outputs, activation)) *
            model.activation_byte_pj;
    return picojoules * 1e-6;
  };
  return Tabulate("energy_uj", model.source, weight_bits, activation_bits, cost::NamesOf(layers), energy);
}

}  // namespace bitplan
