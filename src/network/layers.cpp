#include "network/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>

#include "network/operator_traits.h"
#include "network/weight_operand.h"
#include "network/weight_use.h"

namespace bitplan {

namespace {

using torch::jit::Node;
using torch::jit::Value;

class LayerFinder {
 public:
  explicit LayerFinder(LoweredGraph& lowered) : lowered_(lowered) {}

  network::LayerMap Find() {
    for (Node* node : network::AllNodes(lowered_.graph->block())) Visit(node);
    NameLayers();
    SettleBiases();
    TieLayers();
    return std::move(map_);
  }

 private:
  void Visit(Node* node) {
    bool found = false;
    for (const network::WeightUse& use : network::PossibleUses(lowered_, node)) {
      const auto weight = network::ResolveWeight(lowered_, use.weight);
      if (!weight) continue;
      AddUse(node, use, *weight);
      found = true;
      if (use.op == "matmul" || use.op == "addmm") break;
    }
    if (!found) NoteFloatOperator(node);
  }

  void AddUse(Node* node, const network::WeightUse& use, const network::WeightOperand& weight) {
    const auto rank = static_cast<int>(weight.axes.size());
    const auto axis_in_operand = static_cast<std::size_t>((use.channel_axis + rank) % rank);
    const int axis = static_cast<int>(weight.axes[axis_in_operand]);
    const int layer = LayerOf(weight.parameter, use.op, axis);
    map_.layer_of_node.try_emplace(node, layer);
    LayerUse entry;
    int input_tap = -1, output_tap = -1;
    if (use.input_operand >= 0) std::tie(entry.input_site, input_tap) = TapOperand(node, use.input_operand, layer);
    if (use.output_dim != 0) {
      output_tap = static_cast<int>(map_.taps.size());
      const int site = AddSite(Site::Kind::LayerOutput, layer);
      map_.taps.push_back({node, -1, site});
      if (map_.layers[static_cast<std::size_t>(layer)].channel_axis == axis) {
        entry.output_site = site;
        entry.output_channel_dim = use.output_dim;
      }
    }
    CountMacs(node, use, weight, layer, input_tap, output_tap);
    bias_operands_[layer].push_back(use.bias_operand >= 0 ? node->inputs()[static_cast<std::size_t>(use.bias_operand)]
                                                          : nullptr);
    map_.layers[static_cast<std::size_t>(layer)].adds_shared_bias |= use.adds_other;
    map_.layers[static_cast<std::size_t>(layer)].uses.push_back(entry);
    map_.use_taps[static_cast<std::size_t>(layer)].push_back({input_tap, output_tap});
  }

  void CountMacs(Node* node, const network::WeightUse& use, const network::WeightOperand& weight, int layer,
                 int input_tap, int output_tap) {
    const auto rank = static_cast<int>(weight.sizes.size());
    const std::int64_t elements =
        std::accumulate(weight.sizes.begin(), weight.sizes.end(), std::int64_t{1}, std::multiplies<>());
    const std::int64_t channels = std::max<std::int64_t>(weight.sizes.front(), 1);
    network::MacRule rule{layer, output_tap, 0, 1};
    switch (use.count) {
      case network::WeightUse::Count::None:
        return;
      case network::WeightUse::Count::PerOutput:
        rule.numerator = use.op.starts_with("conv")
                             ? elements / channels
                             : weight.sizes[static_cast<std::size_t>((use.contracted_axis + rank) % rank)];
        break;
      case network::WeightUse::Count::PerInput:
        rule.tap = input_tap;
        rule.numerator = elements / channels;
        break;
      case network::WeightUse::Count::PerStep:
        rule.tap = input_tap >= 0 && use.input_operand == use.step_operand
                       ? input_tap
                       : TapOperand(node, use.step_operand, layer).second;
        rule.numerator = elements;
        rule.denominator = use.step_features;
        break;
    }
    map_.macs.push_back(rule);
  }

  int LayerOf(std::size_t parameter, const std::string& op, int channel_axis) {
    const auto [found, inserted] = layer_of_parameter_.try_emplace(parameter, static_cast<int>(map_.layers.size()));
    if (inserted) {
      Layer layer;
      layer.op = op;
      layer.weight = static_cast<int>(parameter);
      layer.channel_axis = channel_axis;
      map_.layers.push_back(layer);
      map_.use_taps.emplace_back();
    }
    return found->second;
  }

  int AddSite(Site::Kind kind, int layer) {
    map_.sites.push_back({kind, ""});
    layer_of_site_.push_back(layer);
    return static_cast<int>(map_.sites.size()) - 1;
  }

  /// Site and tap of an operand; one tap serves all the weights that the node reads with that operand.
  std::pair<int, int> TapOperand(Node* node, int operand, int layer) {
    const Value* const value = node->inputs()[static_cast<std::size_t>(operand)];
    const auto found_site = input_sites_.find(value);
    const int site = found_site != input_sites_.end() ? found_site->second : AddSite(Site::Kind::LayerInput, layer);
    input_sites_[value] = site;
    const auto [tap, inserted] = operand_taps_.try_emplace({node, operand}, static_cast<int>(map_.taps.size()));
    if (inserted) map_.taps.push_back({node, operand, site});
    return {site, tap->second};
  }

  /// The operator's inputs, those in lists (einsum's) one by one.
  static std::vector<const Value*> Operands(const Node* node) {
    std::vector<const Value*> operands;
    for (const Value* input : node->inputs()) {
      if (input->node()->kind() == c10::prim::ListConstruct)
        operands.insert(operands.end(), input->node()->inputs().begin(), input->node()->inputs().end());
      else
        operands.push_back(input);
    }
    return operands;
  }

  void NoteFloatOperator(const Node* node) {
    using network::Has;
    using network::OperatorTrait;
    if (node->kind().is_prim() || network::IsView(node) || node->outputs().empty()) return;
    if (!node->outputs()[0]->type()->isSubtypeOf(*c10::TensorType::get())) return;
    const std::string op = network::OperatorName(node);
    std::string name;
    for (const Value* input : Operands(node))
      if (name.empty()) name = network::ComputedFrom(lowered_, input);
    std::string reason;
    if (Has(op, OperatorTrait::Norm)) {
      reason = op == "batch_norm" ? "a normalization that does not follow a layer it could be folded into"
                                  : "a normalization";
    } else if ((Has(op, OperatorTrait::Product) || Has(op, OperatorTrait::Convolution) || op == "linear") &&
               !name.empty()) {
      reason = fmt::format("its weight is computed from '{}' in the forward", name);
    } else if (Has(op, OperatorTrait::Product)) {
      reason = name.empty() ? "it multiplies two activations" : "a product whose operands cannot be told apart";
    } else if (Has(op, OperatorTrait::OtherProduct)) {
      reason = "a product of a kind that is not quantized";
    } else if (!node->kind().is_aten()) {
      reason = fmt::format("not a standard operator ({})", node->kind().toQualString());
    } else {
      return;
    }
    map_.left_in_float.push_back({op, name.empty() ? node->outputs()[0]->debugName() : name, reason});
  }

  void NameLayers() {
    std::map<std::string, int> nameless;
    for (Layer& layer : map_.layers) {
      Parameter& weight = lowered_.parameters[static_cast<std::size_t>(layer.weight)];
      if (lowered_.nameless.contains(weight.name)) {
        do layer.name = fmt::format("{}_{}", layer.op, nameless[layer.op]++);
        while (IsTaken(layer.name));
        Rename(weight, layer.name + ".weight");
      } else {
        layer.name = weight.name.ends_with(".weight") ? weight.name.substr(0, weight.name.size() - 7) : weight.name;
      }
    }
    std::map<std::string, int> taken;
    for (std::size_t i = 0; i < map_.sites.size(); ++i) {
      const bool input = map_.sites[i].kind == Site::Kind::LayerInput;
      const std::string name =
          map_.layers[static_cast<std::size_t>(layer_of_site_[i])].name + (input ? ".input" : ".output");
      const int number = ++taken[name];
      map_.sites[i].name = number == 1 ? name : fmt::format("{}#{}", name, number);
    }
  }

  /// A bias is a layer's own when every use adds it and nothing else reads it.
  void SettleBiases() {
    for (std::size_t i = 0; i < map_.layers.size(); ++i) {
      const std::vector<Value*>& operands = bias_operands_[static_cast<int>(i)];
      Layer& layer = map_.layers[i];
      layer.adds_shared_bias |=
          std::any_of(operands.begin(), operands.end(), [](const Value* each) { return each && !each->mustBeNone(); });
      Value* const bias = operands.front();
      if (!bias || std::any_of(operands.begin(), operands.end(), [&](const Value* other) { return other != bias; }))
        continue;
      const auto parameter = lowered_.ParameterOf(bias);
      if (!parameter || network::CountReaders(bias) != operands.size() ||
          lowered_.parameters[*parameter].value.dim() != 1)
        continue;
      layer.bias = static_cast<int>(*parameter);
      layer.adds_shared_bias = false;
      Parameter& value = lowered_.parameters[*parameter];
      if (lowered_.nameless.contains(value.name)) Rename(value, layer.name + ".bias");
    }
  }

  /// Whether the model has a tensor of this name, or below it.
  bool IsTaken(const std::string& name) const {
    return std::any_of(lowered_.parameters.begin(), lowered_.parameters.end(),
                       [&](const Parameter& parameter) { return network::IsOrHolds(name, parameter.name); });
  }

  void Rename(Parameter& nameless, std::string name) {
    lowered_.nameless.erase(nameless.name);
    nameless.name = std::move(name);
  }

  void TieLayers() {
    std::vector<int> group(map_.layers.size());
    std::iota(group.begin(), group.end(), 0);
    std::map<int, int> first_reader;  // of a site
    for (std::size_t i = 0; i < map_.layers.size(); ++i) {
      for (const LayerUse& use : map_.layers[i].uses) {
        if (use.input_site < 0) continue;
        const auto [reader, inserted] = first_reader.try_emplace(use.input_site, group[i]);
        if (inserted || reader->second == group[i]) continue;
        const int from = std::max(reader->second, group[i]), to = std::min(reader->second, group[i]);
        std::replace(group.begin(), group.end(), from, to);
        for (auto& [site, owner] : first_reader)
          if (owner == from) owner = to;
      }
    }
    int number = 0;
    std::map<int, int> numbers;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (std::count(group.begin(), group.end(), group[i]) < 2) continue;
      const auto [assigned, inserted] = numbers.try_emplace(group[i], number);
      if (inserted) ++number;
      map_.layers[i].tied_group = assigned->second;
    }
  }

  LoweredGraph& lowered_;
  network::LayerMap map_;
  std::map<std::size_t, int> layer_of_parameter_;
  std::vector<int> layer_of_site_;
  std::map<const Value*, int> input_sites_;
  std::map<std::pair<const Node*, int>, int> operand_taps_;
  std::map<int, std::vector<Value*>> bias_operands_;
};

}  // namespace

bool Layer::HasInputSite() const {
  return std::any_of(uses.begin(), uses.end(), [](const LayerUse& use) { return use.input_site >= 0; });
}

}  // namespace bitplan

namespace bitplan::network {

LayerMap FindLayers(LoweredGraph& lowered) { return LayerFinder(lowered).Find(); }

}  // namespace bitplan::network
