#include "network/tails.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "network/graph_copy.h"
#include "network/impl.h"

namespace bitplan {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// A copy to be made of `from`, with the same inputs.
GraphCopy WithInputsOf(const Graph& from) {
  GraphCopy copy;
  for (const Value* input : from.inputs()) copy.AddInput(const_cast<Value*>(input));
  return copy;
}

bool IsTensor(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

bool IsContainer(const Value* value) {
  const auto kind = value->type()->kind();
  return kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType || kind == c10::TypeKind::TupleType ||
         kind == c10::TypeKind::ClassType || kind == c10::TypeKind::OptionalType;
}

}  // namespace

struct Tails::Impl {
  struct Tail {
    std::size_t begin = 0;             // position of its first top-level node
    std::vector<std::size_t> kept;     // in Prefix::kept_, its inputs after those of the whole graph
    std::vector<std::size_t> written;  // of these, the ones that it writes to
    Program program;
  };

  explicit Impl(Network given) : network(std::move(given)) {}

  Network network;
  Program recording;       // the whole network, returning what the tails keep as well
  std::size_t outputs = 1;  // of the whole network, before what is kept
  std::vector<Tail> tails;
};

namespace {

/// Divides a graph into tails.
class TailFinder {
 public:
  explicit TailFinder(const LoweredGraph& lowered)
      : lowered_(lowered), graph_(*lowered.graph), top_(graph_), aliases_(lowered.graph) {}

  /// Where the tail of a layer begins; 0 where the state before a later point cannot be kept.
  std::size_t BeginOf(const Layer& layer) const {
    std::size_t begin = top_.nodes().size();
    for (const int parameter : {layer.weight, layer.bias})
      if (parameter >= 0)
        for (const torch::jit::Use& use : lowered_.ParameterInput(static_cast<std::size_t>(parameter))->uses())
          begin = std::min(begin, top_.PositionOf(use.user));
    for (Node* node : AllNodes(graph_.block()))
      if (node->kind() == TapSymbol() && IsTapOf(layer, *node)) begin = std::min(begin, top_.PositionOf(node));
    return CanBeKept(begin) ? begin : 0;
  }

  /// What was computed before `begin` and is read from there on, constants aside.
  std::vector<Value*> LiveAt(std::size_t begin) const {
    std::vector<Value*> live;
    std::set<const Value*> seen;
    for (std::size_t i = 0; i < begin; ++i) {
      if (top_.nodes()[i]->kind() == c10::prim::Constant) continue;
      for (Value* value : top_.nodes()[i]->outputs()) {
        const auto& uses = value->uses();
        const bool later = std::any_of(uses.begin(), uses.end(),
                                       [&](const torch::jit::Use& use) { return top_.PositionOf(use.user) >= begin; });
        if (later && seen.insert(value).second) live.push_back(value);
      }
    }
    return live;
  }

  bool IsWritten(const Value* value) const { return IsTensor(value) && aliases_.hasWriters(value); }
  const std::vector<Node*>& nodes() const { return top_.nodes(); }
  Graph& graph() const { return graph_; }

 private:
  bool IsTapOf(const Layer& layer, const Node& tap) const {
    const auto number = torch::jit::toIValue(tap.inputs()[2]);
    const int site = lowered_.tap_sites[static_cast<std::size_t>(number->toInt())];
    return std::any_of(layer.uses.begin(), layer.uses.end(),
                       [&](const LayerUse& use) { return use.input_site == site || use.output_site == site; });
  }

  /// Lists that are written to cannot be copied at a point, and neither can a model's own buffers.
  bool CanBeKept(std::size_t begin) const {
    if (!lowered_.written_inputs.empty()) return false;
    const std::vector<Value*> live = LiveAt(begin);
    return std::none_of(live.begin(), live.end(),
                        [&](const Value* value) { return IsContainer(value) && aliases_.hasWriters(value); });
  }

  const LoweredGraph& lowered_;
  Graph& graph_;
  TopLevel top_;
  torch::jit::AliasDb aliases_;
};

/// Inputs of `graph` from `first` on that some operator writes to, counted from there.
std::vector<std::size_t> WrittenFrom(const std::shared_ptr<Graph>& graph, std::size_t first) {
  const torch::jit::AliasDb aliases(graph);
  std::vector<std::size_t> written;
  for (std::size_t i = first; i < graph->inputs().size(); ++i)
    if (IsTensor(graph->inputs()[i]) && aliases.hasWriters(graph->inputs()[i])) written.push_back(i - first);
  return written;
}

}  // namespace

Tails::Tails(const Network& network) {
  auto impl = std::make_shared<Impl>(network);
  const TailFinder finder(network.lowered());
  std::map<std::size_t, std::vector<std::size_t>> beginning;  // position to the layers whose tail begins there
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    impl->tails.emplace_back().begin = finder.BeginOf(network.layers()[i]);
    beginning[impl->tails.back().begin].push_back(i);
  }

  GraphCopy recording = WithInputsOf(finder.graph());
  std::vector<Value*> kept;
  std::map<const Value*, std::size_t> number_of;  // in `kept`, of values that nothing writes to
  for (std::size_t position = 0; position <= finder.nodes().size(); ++position) {
    if (const auto found = beginning.find(position); found != beginning.end()) {
      GraphCopy tail = WithInputsOf(finder.graph());
      std::vector<std::size_t> numbers;
      for (Value* value : finder.LiveAt(position)) {
        tail.AddInput(value);
        if (finder.IsWritten(value)) {
          numbers.push_back(kept.size());
          kept.push_back(recording.graph()->insert(c10::aten::clone, {recording.Find(value)}));
        } else {
          const auto [number, inserted] = number_of.try_emplace(value, kept.size());
          if (inserted) kept.push_back(recording.Find(value));
          numbers.push_back(number->second);
        }
      }
      for (std::size_t i = position; i < finder.nodes().size(); ++i) tail.Add(finder.nodes()[i]);
      for (Value* output : finder.graph().outputs()) tail.graph()->registerOutput(tail.Find(output));
      const std::vector<std::size_t> written = WrittenFrom(tail.graph(), finder.graph().inputs().size());
      const Program program(tail.graph(), "tail");
      for (const std::size_t layer : found->second) {
        impl->tails[layer].kept = numbers;
        impl->tails[layer].written = written;
        impl->tails[layer].program = program;
      }
    }
    if (position < finder.nodes().size()) recording.Add(finder.nodes()[position]);
  }
  impl->outputs = finder.graph().outputs().size();
  for (Value* output : finder.graph().outputs()) recording.graph()->registerOutput(recording.Find(output));
  for (Value* value : kept) recording.graph()->registerOutput(value);
  impl->recording = Program(recording.graph(), "recording");
  impl_ = std::move(impl);
}

Tails::Prefix Tails::Run(const std::vector<at::Tensor>& inputs) const {
  const Network::Impl& network = *impl_->network.impl_;
  Prefix prefix;
  prefix.inputs_ = inputs;
  prefix.batches_ = network.batching->Divide(network, inputs);
  std::vector<torch::jit::Stack> results = network.Run(impl_->recording, prefix.batches_, inputs,
                                                       impl_->network.ParameterValues(), network.Handle(nullptr));
  prefix.output_ = network.Output(results, impl_->outputs - 1, prefix.batches_);
  for (torch::jit::Stack& result : results)
    prefix.kept_.emplace_back(result.begin() + static_cast<std::ptrdiff_t>(impl_->outputs), result.end());
  return prefix;
}

int Tails::Earliest(const std::vector<int>& layers) const {
  const auto begin = [&](int layer) { return impl_->tails[static_cast<std::size_t>(layer)].begin; };
  return *std::min_element(layers.begin(), layers.end(), [&](int a, int b) { return begin(a) < begin(b); });
}

at::Tensor Tails::Run(const Prefix& prefix, int layer, const std::vector<at::Tensor>& parameters, Probe* probe) const {
  const Network::Impl& network = *impl_->network.impl_;
  const Impl::Tail& tail = impl_->tails[static_cast<std::size_t>(layer)];
  const auto kept = [&](std::size_t batch) {
    std::vector<c10::IValue> values;
    for (const std::size_t number : tail.kept) values.push_back(prefix.kept_[batch][number]);
    for (const std::size_t index : tail.written) values[index] = values[index].toTensor().clone();
    return values;
  };
  const auto results =
      network.Run(tail.program, prefix.batches_, prefix.inputs_, parameters, network.Handle(probe), kept);
  return network.Output(results, results.front().size() - 1, prefix.batches_);
}

}  // namespace bitplan
