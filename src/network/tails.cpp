#include "network/tails.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>
#include <map>
#include <utility>

#include "graph_copy.h"
#include "live_values.h"
#include "network/impl.h"
#include "network/probe_operator.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

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
  Program recording;        // the whole network, returning what the tails keep as well
  std::size_t outputs = 1;  // of the whole network, before what is kept
  std::vector<Tail> tails;
};

namespace {

/// Divides a graph into tails.
class TailFinder {
 public:
  explicit TailFinder(const LoweredGraph& lowered) : lowered_(lowered), live_(lowered) {}

  /// Where the tail of a layer begins; 0 where the state before a later point cannot be kept.
  std::size_t BeginOf(const Layer& layer) const {
    const TopLevel& top = live_.top();
    std::size_t begin = top.nodes().size();
    for (const int parameter : {layer.weight, layer.bias})
      if (parameter >= 0)
        for (const torch::jit::Use& use : lowered_.ParameterInput(static_cast<std::size_t>(parameter))->uses())
          begin = std::min(begin, top.PositionOf(use.user));
    for (Node* node : AllNodes(graph().block()))
      if (node->kind() == TapSymbol() && IsTapOf(layer, *node)) begin = std::min(begin, top.PositionOf(node));
    return live_.CanBeKept(begin) ? begin : 0;
  }

  const LiveValues& live() const { return live_; }
  const std::vector<Node*>& nodes() const { return live_.top().nodes(); }
  Graph& graph() const { return *lowered_.graph; }

 private:
  bool IsTapOf(const Layer& layer, const Node& tap) const {
    const int site = lowered_.SiteOf(&tap);
    return std::any_of(layer.uses.begin(), layer.uses.end(),
                       [&](const LayerUse& use) { return use.input_site == site || use.output_site == site; });
  }

  const LoweredGraph& lowered_;
  LiveValues live_;
};

/// Inputs of `graph` from `first` on that some operator writes to, counted from there.
std::vector<std::size_t> WrittenFrom(const std::shared_ptr<Graph>& graph, std::size_t first) {
  const torch::jit::AliasDb aliases(graph);
  std::vector<std::size_t> written;
  for (std::size_t i = first; i < graph->inputs().size(); ++i)
    if (IsTensorValue(graph->inputs()[i]) && aliases.hasWriters(graph->inputs()[i])) written.push_back(i - first);
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

  GraphCopy recording = GraphCopy::WithInputsOf(finder.graph());
  std::vector<Value*> kept;
  std::map<const Value*, std::size_t> number_of;  // in `kept`, of values that nothing writes to
  for (std::size_t position = 0; position <= finder.nodes().size(); ++position) {
    if (const auto found = beginning.find(position); found != beginning.end()) {
      GraphCopy tail = GraphCopy::WithInputsOf(finder.graph());
      std::vector<std::size_t> numbers;
      for (Value* value : finder.live().At(position)) {
        tail.AddInput(value);
        if (finder.live().IsWritten(value)) {
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
  const Network::Impl& network = impl_->network.impl();
  Prefix prefix;
  prefix.inputs_ = inputs;
  prefix.batches_ = network.batching->Divide(network, inputs);
  std::vector<torch::jit::Stack> results =
      network.Run(impl_->recording, prefix.batches_, inputs, impl_->network.ParameterValues(), network.Handle(nullptr));
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
  const Network::Impl& network = impl_->network.impl();
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

}  // namespace bitplan::network
