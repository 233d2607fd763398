#include "placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bitplan/error.h"

namespace bitplan {

namespace {

bool IsEmbedding(const network::Operator& made) { return made.op == "embedding"; }

class Placer {
 public:
  Placer(const Network& network, const Target& target)
      : network_(network),
        target_(target),
        graph_(network::OperatorGraph(network)),
        depth_(graph_.size(), 0),
        readers_(graph_.size(), 0) {
    for (std::size_t i = 0; i < graph_.size(); ++i) {
      for (const network::OperatorInput& input : graph_[i].inputs) {
        if (input.from < 0) continue;
        const auto from = static_cast<std::size_t>(input.from);
        depth_[i] = std::max(depth_[i], depth_[from]);
        ++readers_[from];
      }
      if (graph_[i].layer >= 0 && !IsEmbedding(graph_[i])) ++depth_[i];
      if (graph_[i].returned) ++readers_[i];
    }
  }

  Placement Place() {
    for (const network::Operator& made : graph_) {
      if (made.layer >= 0) {
        PlaceLayer(made);
      } else {
        PlaceOperands(made);
      }
    }
    return std::move(placement_);
  }

 private:
  void PlaceLayer(const network::Operator& made) {
    const auto offer = target::OfferFor(network_.layers(), static_cast<std::size_t>(made.layer), target_);
    if (!offer) {
      placement_.left_in_float.push_back(
          {made.name, "", fmt::format("{} has no {} of integers", target_.name, made.op)});
      return;
    }
    if (placed_layers_.insert(made.layer).second)
      placement_.weights.push_back({made.name, target_.weight.WithBits(offer->weight_bits.front())});
    for (const network::OperatorInput& input : made.inputs) {
      if (input.site < 0) {
        if (!IsEmbedding(made))
          placement_.left_in_float.push_back({made.name, "", "it reads a tensor that is inside the operator"});
      } else {
        Quantize(input, made.name, offer->input_bits.front());
      }
    }
  }

  void PlaceOperands(const network::Operator& made) {
    const int fused = FusedOperand(made);
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      const network::OperatorInput& input = made.inputs[i];
      if (input.site < 0) {
        NoteUntapped(made);
        continue;
      }
      const std::string& site = network_.sites()[static_cast<std::size_t>(input.site)].name;
      const std::string reader = target::OperatorOfSite(site), op = target::KindOfOperator(reader);
      seen_.insert(reader);
      const auto offer = target_.operators.find(op);
      if (offer == target_.operators.end()) {
        placement_.left_in_float.push_back({reader, site, fmt::format("{} computes {} in float", target_.name, op)});
      } else if (AddsEmbeddings(made)) {
        placement_.left_in_float.push_back({reader, site, "it adds embeddings, which are looked up in float"});
      } else if (static_cast<int>(i) == fused) {
        const network::Operator& layer = graph_[static_cast<std::size_t>(input.from)];
        placement_.left_in_float.push_back(
            {reader, site, fmt::format("it is added in the accumulator of {}", layer.name)});
      } else {
        Quantize(input, reader, offer->second.bits.front());
      }
    }
  }

  /// Of an operator that the target quantizes, an operand that has no site.
  void NoteUntapped(const network::Operator& made) {
    const bool numbered = made.name != made.op;
    const bool before_mask = made.op == "softmax" && seen_.contains(made.name);
    if (!numbered || before_mask || !target_.operators.contains(made.op)) return;
    placement_.left_in_float.push_back(
        {made.name, "", "an operand is overwritten in place while others still read it"});
  }

  bool AddsEmbeddings(const network::Operator& made) const {
    return made.op == "add" &&
           std::any_of(made.inputs.begin(), made.inputs.end(), [&](const network::OperatorInput& input) {
             return input.from >= 0 && IsEmbedding(graph_[static_cast<std::size_t>(input.from)]);
           });
  }

  /// The input that stays in a layer's accumulator; −1: none.
  int FusedOperand(const network::Operator& made) const {
    const auto offer = target_.operators.find(made.op);
    if (offer == target_.operators.end() || !offer->second.fused) return -1;
    int fused = -1;
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      if (made.inputs[i].from < 0) continue;
      const auto from = static_cast<std::size_t>(made.inputs[i].from);
      if (graph_[from].layer < 0 || IsEmbedding(graph_[from]) || readers_[from] != 1) continue;
      if (fused < 0 ||
          depth_[from] > depth_[static_cast<std::size_t>(made.inputs[static_cast<std::size_t>(fused)].from)])
        fused = static_cast<int>(i);
    }
    return fused;
  }

  /// One grid a tensor: the widest of those that its readers have by default.
  void Quantize(const network::OperatorInput& input, const std::string& reader, int bits) {
    const std::string& site = network_.sites()[static_cast<std::size_t>(input.site)].name;
    if (bits == 32) {
      placement_.left_in_float.push_back({reader, site, fmt::format("{} reads it in float by default", target_.name)});
      return;
    }
    const auto [found, inserted] = number_of_tensor_.try_emplace(input.tensor, placement_.tensors.size());
    if (inserted) placement_.tensors.push_back({{}, {}, target_.activation.WithBits(bits)});
    PlacedTensor& tensor = placement_.tensors[found->second];
    if (bits > tensor.format.bits) tensor.format = target_.activation.WithBits(bits);
    for (std::size_t i = 0; i < tensor.sites.size(); ++i)
      if (tensor.sites[i] == site && tensor.readers[i] == reader) return;
    tensor.sites.push_back(site);
    tensor.readers.push_back(reader);
  }

  const Network& network_;
  const Target& target_;
  std::vector<network::Operator> graph_;
  std::vector<int> depth_;    // layers on the longest way from the network's inputs
  std::vector<int> readers_;  // operators that read what one makes, and the output
  Placement placement_;
  std::set<int> placed_layers_;
  std::set<std::string> seen_;
  std::map<int, std::size_t> number_of_tensor_;
};

}  // namespace

}  // namespace bitplan

namespace bitplan::target {

std::string OperatorOfSite(const std::string& site) { return site.substr(0, site.rfind('.')); }
std::string KindOfOperator(const std::string& name) { return name.substr(0, name.rfind('_')); }

}  // namespace bitplan::target

namespace bitplan {

Placement Place(const Network& network, const Target& target) {
  if (!network.has_operand_sites())
    throw Error(fmt::format("target {}: quantizers cannot be placed in a network that was loaded without operand_sites",
                            target.name));
  return Placer(network, target).Place();
}

}  // namespace bitplan
