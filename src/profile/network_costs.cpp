#include <set>

#include "bitplan/cost.h"
#include "bitplan/energy.h"
#include "bitplan/profile.h"
#include "bitplan/quantize.h"

namespace bitplan {

std::vector<LayerWork> WorkOf(const Network& network, const std::vector<at::Tensor>& inputs) {
  const NetworkSummary profile = Summarize(network, inputs);
  std::vector<LayerWork> work;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const LayerSummary& facts = profile.layers[i];
    work.push_back({layer.name, facts.macs, network.Weight(layer).numel(), facts.input_count, facts.output_count});
  }
  return work;
}

void AddNetworkCosts(const Network& network, const std::vector<at::Tensor>& inputs, Sensitivity& sensitivity) {
  const std::vector<int> weight_bits(kAllWidths.begin(), kAllWidths.end());
  std::set<int> offered{32};
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const Perturbation& choice : layer.activation_choices) offered.insert(choice.bits);
  const std::vector<int> activation_bits(offered.begin(), offered.end());
  std::vector<CostTable> tables = ActivationMemory(network, inputs, activation_bits);
  std::vector<OperandPlan> operands;
  for (const OperandFormat& operand : sensitivity.operands) operands.push_back({operand.name, operand.format});
  tables.push_back(FileSize(network, sensitivity.weight_format, sensitivity.activation_format,
                            sensitivity.channel_correction, weight_bits, activation_bits, operands));
  tables.push_back(Energy(WorkOf(network, inputs), EnergyModel(), weight_bits, activation_bits));
  AddCosts(sensitivity, std::move(tables));
}

}  // namespace bitplan
