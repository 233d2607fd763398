#include "network/channel_links.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "network/layer_product.h"
#include "network/lowered_graph.h"
#include "network/probe_operator.h"

namespace bitplan {

namespace {

using torch::jit::Node;
using torch::jit::Use;
using torch::jit::Value;

/// f(s x) = s f(x) for s > 0, channel by channel, channels staying where they are.
bool KeepsChannels(const std::string& op) {
  static const std::set<std::string, std::less<>> names = {
      "relu",       "relu_",      "leaky_relu",      "leaky_relu_",         "dropout",
      "max_pool1d", "max_pool2d", "max_pool3d",      "avg_pool1d",          "avg_pool2d",
      "avg_pool3d", "contiguous", "detach",          "adaptive_avg_pool1d", "adaptive_avg_pool2d",
      "clone",      "alias",      "feature_dropout", "adaptive_avg_pool3d"};
  return names.contains(op);
}

bool Flattens(const std::string& op) { return op == "flatten" || op == "view" || op == "reshape"; }

/// What follows a tensor of channels to all that reads them.
class LinkWalk {
 public:
  LinkWalk(const Network& network, const std::map<std::pair<std::size_t, int>, LayerProduct>& products,
           ChannelLink& link)
      : network_(network), products_(products), link_(link) {}

  /// Whether all readers are known. `dim`: of the channels, from the back.
  bool Follow(Value* value, int dim, bool flattened) {
    const std::vector<Use> uses = value->uses();
    return std::all_of(uses.begin(), uses.end(), [&](const Use& use) { return FollowUse(use, dim, flattened); });
  }

 private:
  bool FollowUse(const Use& use, int dim, bool flattened) {
    Node* const node = use.user;
    if (node->kind() == TapSymbol()) return FollowTap(node, dim, flattened);
    if (node->outputs().empty() || node->kind() == c10::prim::Return) return false;
    if (!node->outputs()[0]->type()->isSubtypeOf(*c10::TensorType::get())) return AsksForFact(node);
    if (use.offset != 0 || node->outputs().size() != 1) return false;
    const std::string op = OperatorName(node);
    if (KeepsChannels(op)) return Follow(node->output(), dim, flattened);
    if (Flattens(op)) return Follow(node->output(), -1, true);
    if (op == "mean") return FollowMean(node, dim, flattened);
    return false;
  }

  /// Means over axes behind the channels.
  bool FollowMean(Node* node, int dim, bool flattened) {
    if (node->inputs().size() < 3) return false;
    const auto axes = torch::jit::toIValue(node->inputs()[1]);
    const auto keep = ConstantBool(node->inputs()[2]);
    if (!axes || !axes->isIntList() || !keep || flattened) return false;
    const std::vector<std::int64_t> reduced = axes->toIntVector();
    if (static_cast<int>(reduced.size()) != -dim - 1) return false;
    for (const std::int64_t axis : reduced)  // [N, C, …]: as many axes as lie behind the channels
      if (axis < 0 ? axis <= dim : axis < 2) return false;
    return Follow(node->output(), *keep ? dim : -1, false);
  }

  bool FollowTap(Node* tap, int dim, bool flattened) {
    const int site = network_.lowered().SiteOf(tap);
    const std::vector<Use> uses = tap->output()->uses();
    return std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
      return AddReader(use.user, site, dim, flattened) || FollowUse(use, dim, flattened);
    });
  }

  bool AddReader(const Node* node, int site, int dim, bool flattened) {
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const Layer& layer = network_.layers()[i];
      if (layer.uses.size() != 1 || layer.uses[0].input_site != site) continue;
      const auto product = products_.find({i, site});
      const Value* const weight = network_.lowered().ParameterInput(static_cast<std::size_t>(layer.weight));
      if (product == products_.end() || node->inputs().size() < 2 || node->inputs()[1] != weight ||
          CountReaders(weight) != 1)
        continue;
      const at::Tensor value = network_.Weight(layer);
      const bool linear = product->second.IsLinear();
      const std::int64_t groups = linear ? 1 : product->second.sliding()->groups;
      const int contracted = linear ? -1 : 1 - static_cast<int>(value.dim());
      if (contracted != dim || (flattened && !linear) || value.size(1) * groups != link_.channels) return false;
      if (groups != 1 && value.size(1) != 1) return false;
      link_.channel_dim = dim;
      link_.readers.push_back({i, groups, site});
      return true;
    }
    return false;
  }

  const Network& network_;
  const std::map<std::pair<std::size_t, int>, LayerProduct>& products_;
  ChannelLink& link_;
};

class LinkFinder {
 public:
  explicit LinkFinder(const Network& network) : network_(network) {
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Layer& layer = network.layers()[i];
      if (layer.uses.size() != 1 || layer.uses[0].input_site < 0) continue;
      auto product = LayerProduct::Of(network, static_cast<int>(i), 0);
      if (product && (product->IsLinear() || product->sliding()))
        products_.emplace(std::pair(i, layer.uses[0].input_site), std::move(*product));
    }
  }

  std::vector<ChannelLink> Find() {
    for (Node* node : AllNodes(network_.lowered().graph->block())) {
      const std::string op = OperatorName(node);
      if (node->kind() == TapSymbol()) FromLayer(node);
      if (op == "layer_norm") FromNormalization(node, 2, -1);
      if (op == "batch_norm" && node->inputs()[0]->node()->kind() == TapSymbol()) {
        const auto layer = layer_of_output_.find(node->inputs()[0]);
        if (layer != layer_of_output_.end())
          FromNormalization(node, 1, network_.layers()[layer->second].uses[0].output_channel_dim);
      }
    }
    return std::move(links_);
  }

 private:
  void FromLayer(Node* tap) {
    const int site = network_.lowered().SiteOf(tap);
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const Layer& layer = network_.layers()[i];
      if (layer.uses.size() != 1 || layer.uses[0].output_site != site) continue;
      layer_of_output_[tap->output()] = i;
      const at::Tensor weight = network_.Weight(layer);
      if (!IsOwn(static_cast<std::size_t>(layer.weight)) || layer.channel_axis != 0 || layer.adds_shared_bias) return;
      ChannelLink link;
      link.made_by = i;
      link.channels = weight.size(0);
      if (layer.bias >= 0) link.parameters.push_back(static_cast<std::size_t>(layer.bias));
      Add(std::move(link), tap->output(), layer.uses[0].output_channel_dim);
      return;
    }
  }

  /// Its weight and bias are the operands at `first` and after it.
  void FromNormalization(Node* node, std::size_t first, int dim) {
    ChannelLink link;
    for (const std::size_t operand : {first, first + 1}) {
      const auto parameter = network_.lowered().ParameterOf(node->inputs()[operand]);
      if (parameter && IsOwn(*parameter) && network_.parameters()[*parameter].value.dim() == 1)
        link.parameters.push_back(*parameter);
    }
    if (link.parameters.size() != 2) return;
    link.channels = network_.parameters()[link.parameters[0]].value.size(0);
    Add(std::move(link), node->output(), dim);
  }

  void Add(ChannelLink link, Value* value, int dim) {
    if (LinkWalk(network_, products_, link).Follow(value, dim, false) && !link.readers.empty())
      links_.push_back(std::move(link));
  }

  bool IsOwn(std::size_t parameter) const { return CountReaders(network_.lowered().ParameterInput(parameter)) == 1; }

  const Network& network_;
  std::map<std::pair<std::size_t, int>, LayerProduct> products_;
  std::map<const Value*, std::size_t> layer_of_output_;
  std::vector<ChannelLink> links_;
};

}  // namespace

std::vector<ChannelLink> FindChannelLinks(const Network& network) { return LinkFinder(network).Find(); }

at::Tensor InputChannelsFirst(const at::Tensor& weight, std::int64_t groups) {
  return groups == 1 ? weight.transpose(0, 1) : weight.unflatten(0, {groups, weight.size(0) / groups}).squeeze(2);
}

at::Tensor AlongInputChannels(const at::Tensor& numbers, const at::Tensor& weight, std::int64_t groups) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  if (groups == 1) {
    shape[1] = numbers.numel();
    return numbers.view(shape);
  }
  shape[0] = weight.size(0);
  return numbers.repeat_interleave(weight.size(0) / groups).view(shape);
}

}  // namespace bitplan
