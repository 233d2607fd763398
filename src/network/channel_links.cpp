#include "network/channel_links.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "link_walk.h"
#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"
#include "vector_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

class LinkFinder {
 public:
  explicit LinkFinder(const Network& network) : network_(network) {
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Layer& layer = network.layers()[i];
      if (layer.uses.size() != 1 || layer.uses[0].input_site < 0) continue;
      auto product = LayerProduct::Of(network, static_cast<int>(i), 0);
      if (product && (product->contraction() || product->windows()))
        products_.emplace(std::pair(i, layer.uses[0].input_site), std::move(*product));
    }
  }

  std::vector<ChannelLink> Find() {
    for (const Node* node : AllNodes(network_.lowered().graph->block())) {
      const std::string op = OperatorName(node);
      if (node->kind() == TapSymbol()) FromLayer(node);
      if (Has(op, OperatorTrait::NormalizesLastAxis)) FromNormalization(node, -1);
      if (op == "mul") FromVector(node);
      if (op == "batch_norm" && Argument(node, "input")->node()->kind() == TapSymbol()) {
        const auto layer = layer_of_output_.find(Argument(node, "input"));
        if (layer != layer_of_output_.end())
          FromNormalization(node, network_.layers()[layer->second].uses[0].output_channel_dim);
      }
    }
    return std::move(links_);
  }

 private:
  void FromLayer(const Node* tap) {
    const int site = network_.lowered().SiteOf(tap);
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const Layer& layer = network_.layers()[i];
      if (layer.uses.size() != 1 || layer.uses[0].output_site != site) continue;
      layer_of_output_[tap->output()] = i;
      if (!IsOwn(static_cast<std::size_t>(layer.weight)) || layer.adds_shared_bias || !EachChannelIsOne(i)) return;
      ChannelLink link;
      link.made_by = i;
      link.channels = network_.Weight(layer).size(layer.channel_axis);
      if (layer.bias >= 0) link.factors.push_back({static_cast<std::size_t>(layer.bias)});
      ChannelPosition position{link.channels, layer.uses[0].output_channel_dim};
      // Axes in front of the channels are those of what the layer reads.
      if (position.dim == -1) position.alike = {Tapped(tap)};
      if (const auto read = Tapped(tap)->node(); position.dim == -1 && layer.uses[0].input_site >= 0)
        for (const Value* input : read->inputs())
          if (input->node()->kind() == TapSymbol() &&
              network_.lowered().SiteOf(input->node()) == layer.uses[0].input_site)
            position.alike.insert({input, Tapped(input->node())});
      Add(std::move(link), tap->output(), position);
      return;
    }
  }

  /// Whether the weight's channels are the output's: not those of a group of a transposed convolution.
  bool EachChannelIsOne(std::size_t layer) const {
    if (!network_.layers()[layer].op.starts_with("conv_transpose")) return true;
    const auto product = products_.find({layer, network_.layers()[layer].uses[0].input_site});
    return product != products_.end() && product->second.windows()->groups == 1;
  }

  void FromNormalization(const Node* node, int dim) {
    const Value* const bias = Argument(node, "bias");
    const auto weight = OwnVector(Argument(node, "weight"));
    if (!weight || std::any_of(node->outputs().begin() + 1, node->outputs().end(),
                               [](const Value* output) { return output->hasUses(); }))
      return;
    ChannelLink link;
    link.channels = network_.parameters()[weight->parameter].value.numel();
    link.factors = {*weight};
    if (bias && !bias->mustBeNone()) {
      const auto added = OwnVector(bias);
      if (!added) return;
      link.factors.push_back(*added);
    }
    Add(std::move(link), node->outputs()[0], {network_.parameters()[weight->parameter].value.numel(), dim});
  }

  /// x w: of a norm that is spelled out, a scale a layer.
  void FromVector(const Node* node) {
    for (const char* const name : {"self", "other"}) {
      const Value* const factor = Argument(node, name);
      const auto vector = factor ? ResolveVector(network_.lowered(), factor) : std::nullopt;
      if (!vector) continue;
      const std::int64_t channels = network_.parameters()[vector->parameter].value.numel();
      if (channels < 2) continue;
      ChannelLink link;
      link.channels = channels;
      link.factors = {{vector->parameter, vector->offset}};
      return Add(std::move(link), node->output(), {channels, vector->FromBack()});
    }
  }

  std::optional<ChannelLink::Factor> OwnVector(const Value* value) const {
    const auto vector = value ? ResolveVector(network_.lowered(), value) : std::nullopt;
    if (!vector || vector->rank != 1) return std::nullopt;
    return ChannelLink::Factor{vector->parameter, vector->offset};
  }

  void Add(ChannelLink link, const Value* value, const ChannelPosition& position) {
    if (LinkWalk(network_, products_, link).Follow(value, position) && !link.readers.empty())
      links_.push_back(std::move(link));
  }

  bool IsOwn(std::size_t parameter) const { return CountReaders(network_.lowered().ParameterInput(parameter)) == 1; }

  const Network& network_;
  ProductMap products_;
  std::map<const Value*, std::size_t> layer_of_output_;
  std::vector<ChannelLink> links_;
};

at::Tensor Scaled(const at::Tensor& value, const at::Tensor& by) {
  return (value.to(at::kDouble) * by).to(value.scalar_type());
}

}  // namespace

std::vector<ChannelLink> FindChannelLinks(const Network& network) { return LinkFinder(network).Find(); }

void ScaleLink(const Network& network, const ChannelLink& link, const at::Tensor& scale,
               std::vector<at::Tensor>& values) {
  const at::Tensor inverse = 1 / scale.to(at::kDouble);
  for (const auto& [parameter, offset] : link.factors) {
    at::Tensor& value = values[parameter];
    value = ((value.to(at::kDouble) + offset) * inverse.view(value.sizes()) - offset).to(value.scalar_type());
  }
  if (link.made_by) {
    const Layer& layer = network.layers()[*link.made_by];
    at::Tensor& weight = values[static_cast<std::size_t>(layer.weight)];
    std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
    shape[static_cast<std::size_t>(layer.channel_axis)] = scale.numel();
    weight = Scaled(weight, inverse.view(shape));
  }
  for (const ChannelLink::Reader& reader : link.readers) {
    at::Tensor& weight = values[static_cast<std::size_t>(network.layers()[reader.layer].weight)];
    weight = Scaled(weight, AlongInputChannels(scale, weight, reader));
  }
}

at::Tensor InputChannelsFirst(const at::Tensor& weight, const ChannelLink::Reader& reader) {
  if (reader.groups == 1) return weight.movedim(reader.weight_axis, 0);
  const at::Tensor by_group = weight.unflatten(0, {reader.groups, weight.size(0) / reader.groups});
  return by_group.transpose(1, 2).flatten(0, 1);
}

at::Tensor AlongInputChannels(const at::Tensor& numbers, const at::Tensor& weight, const ChannelLink::Reader& reader) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[static_cast<std::size_t>(reader.weight_axis)] = weight.size(reader.weight_axis);
  if (reader.groups == 1) return numbers.view(shape);
  shape[0] = weight.size(0);
  return numbers.view({reader.groups, -1}).repeat_interleave(weight.size(0) / reader.groups, 0).view(shape);
}

}  // namespace bitplan::network
