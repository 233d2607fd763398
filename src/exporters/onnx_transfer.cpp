#include "onnx_transfer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "network/weight_match.h"

namespace bitplan::exporters {

namespace {

bool IsOperandOf(const Site& site, const std::string& op) {
  return site.kind == Site::Kind::Operand && site.name.starts_with(op + "_") &&
         site.name.find_first_not_of("0123456789.", op.size() + 1) == std::string::npos;
}

std::int64_t CountOf(const Network& network, const std::string& op) {
  return std::count_if(network.sites().begin(), network.sites().end(),
                       [&](const Site& site) { return IsOperandOf(site, op); });
}

class Transfer {
 public:
  Transfer(const Network& network, const QuantizedNetwork& quantized)
      : network_(network), quantized_(quantized), other_(quantized.network()) {
    for (const Parameter& parameter : network.parameters()) planned_.parameters.push_back(parameter.value);
  }

  PlannedTensors Make() {
    if (quantized_.plan().corrections.rescaling != Rescaling::None)
      throw Error("a plan that rescales channels is applied to the ONNX file itself alone: give that as the model");
    const auto matches = Match();
    for (std::size_t i = 0; i < matches.size(); ++i) AddLayer(i, matches[i]);
    for (const auto& [site, input] : quantized_.inputs()) AddOperand(site, input);
    return std::move(planned_);
  }

 private:
  std::vector<std::size_t> Match() const {
    std::vector<network::KnownWeight> known;
    for (const Layer& layer : other_.layers())
      known.push_back({layer.name, network::WeightFingerprint(other_.Weight(layer), layer.channel_axis)});
    const auto found = network::MatchWeights(network_, known);
    std::vector<std::size_t> matches;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i])
        throw Error(fmt::format("layer '{}' of {}: the planned network has no layer with its weight",
                                network_.layers()[i].name, network_.source()));
      matches.push_back(*found[i]);
    }
    return matches;
  }

  void AddLayer(std::size_t index, std::size_t other_index) {
    const Layer &layer = network_.layers()[index], &other = other_.layers()[other_index];
    planned_.weights.push_back(WeightFor(layer, other, quantized_.weights()[other_index]));
    if (layer.uses.size() != other.uses.size())
      throw Error(fmt::format("layer '{}': {} operators read its weight in {}, {} in the planned network", layer.name,
                              layer.uses.size(), network_.source(), other.uses.size()));
    for (std::size_t k = 0; k < layer.uses.size(); ++k) AddUse(layer.uses[k], other.uses[k]);
    if (other.bias >= 0) AddBias(layer, static_cast<std::size_t>(other.bias));
  }

  /// Exporters put products with a transposed weight in the place of linear layers.
  QuantizedTensor WeightFor(const Layer& layer, const Layer& other, QuantizedTensor weight) const {
    const at::Tensor own = network_.Weight(layer);
    const bool transposed = own.dim() == 2 && layer.channel_axis != other.channel_axis;
    if (transposed) {
      weight.value = weight.value.t();
      if (weight.q.defined()) weight.q = weight.q.t();
      weight.channel_axis = 1 - weight.channel_axis;
    }
    if (!weight.value.sizes().equals(own.sizes()) || weight.channel_axis != layer.channel_axis)
      throw Error(fmt::format("layer '{}': its weight has another shape in {} than in the planned network", layer.name,
                              network_.source()));
    return weight;
  }

  void AddUse(const LayerUse& use, const LayerUse& other) {
    if (const auto input = quantized_.inputs().find(other.input_site); input != quantized_.inputs().end()) {
      if (use.input_site < 0)
        throw Error(fmt::format("input '{}': it is inside of an operator in {}",
                                other_.sites()[static_cast<std::size_t>(other.input_site)].name, network_.source()));
      planned_.inputs[use.input_site] = input->second;
    }
    const auto shift = quantized_.shifts().find(other.output_site);
    if (shift != quantized_.shifts().end() && use.output_site >= 0) planned_.shifts[use.output_site] = shift->second;
  }

  /// What the correction made of a bias; where the file adds it apart from the layer, the difference is added.
  void AddBias(const Layer& layer, std::size_t other_bias) {
    const at::Tensor& bias = quantized_.parameters()[other_bias];
    if (layer.bias >= 0) {
      const auto index = static_cast<std::size_t>(layer.bias);
      if (!at::equal(bias, planned_.parameters[index])) planned_.changed.insert(index);
      planned_.parameters[index] = bias;
      return;
    }
    const at::Tensor difference = bias - other_.parameters()[other_bias].value;
    if (difference.eq(0).all().item<bool>()) return;
    for (const LayerUse& use : layer.uses) {
      if (use.output_site < 0)
        throw Error(
            fmt::format("layer '{}': {} has no place for the correction of its bias", layer.name, network_.source()));
      std::vector<std::int64_t> shape(static_cast<std::size_t>(-use.output_channel_dim), 1);
      shape.front() = difference.numel();
      planned_.shifts[use.output_site] = difference.view(shape);
    }
  }

  /// Operands are known by their names, which count them: where both files have as many of their operator.
  void AddOperand(int site, const QuantizedInput& input) {
    const Site& other = other_.sites()[static_cast<std::size_t>(site)];
    if (other.kind != Site::Kind::Operand) return;
    const std::string op = other.name.substr(0, other.name.rfind('_'));
    const auto own = std::find_if(network_.sites().begin(), network_.sites().end(), [&](const Site& each) {
      return each.kind == Site::Kind::Operand && each.name == other.name;
    });
    if (own == network_.sites().end() || CountOf(network_, op) != CountOf(other_, op))
      throw Error(fmt::format("operand '{}': {} has other operators of this kind than the planned network", other.name,
                              network_.source()));
    planned_.inputs[static_cast<int>(own - network_.sites().begin())] = input;
  }

  const Network& network_;
  const QuantizedNetwork& quantized_;
  const Network& other_;
  PlannedTensors planned_;
};

}  // namespace

PlannedTensors TransferTo(const Network& network, const QuantizedNetwork& quantized) {
  return Transfer(network, quantized).Make();
}

}  // namespace bitplan::exporters
