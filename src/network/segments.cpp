#include "network/segments.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "live_values.h"
#include "network/impl.h"

namespace bitplan::network {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Where a graph may be divided.
class PointFinder {
 public:
  PointFinder(const Network& network, const LiveValues& live) : live_(live) {
    const LoweredGraph& lowered = network.lowered();
    for (const Node* node : AllNodes(lowered.graph->block()))
      if (node->kind() == TapSymbol()) taps_[lowered.SiteOf(node)].push_back(live.top().PositionOf(node));
    for (const Layer& layer : network.layers())
      for (const LayerUse& use : layer.uses) Add(use);
  }

  /// In order; the first is 0.
  std::vector<std::size_t> Points() const {
    std::vector<std::size_t> points{0};
    for (const std::size_t begin : begins_)
      if (begin > 0 && MayDivide(begin)) points.push_back(begin);
    return points;
  }

 private:
  void Add(const LayerUse& use) {
    const auto input = taps_.find(use.input_site), output = taps_.find(use.output_site);
    if (input == taps_.end()) return;
    const std::size_t begin = input->second.front();
    begins_.insert(begin);
    if (output != taps_.end()) uses_.emplace_back(begin, output->second.back());
  }

  bool MayDivide(std::size_t point) const {
    const bool inside = std::any_of(uses_.begin(), uses_.end(),
                                    [&](const auto& use) { return use.first < point && point <= use.second; });
    if (inside || !live_.CanBeKept(point)) return false;
    const std::vector<Value*> live = live_.At(point);
    return std::none_of(live.begin(), live.end(), [&](const Value* value) { return live_.IsWritten(value); });
  }

  const LiveValues& live_;
  std::map<int, std::vector<std::size_t>> taps_;  // by site: positions, in order
  std::set<std::size_t> begins_;
  std::vector<std::pair<std::size_t, std::size_t>> uses_;  // where they begin and end
};

}  // namespace

struct Segments::Impl {
  explicit Impl(Network given) : network(std::move(given)) {}

  Network network;
  std::vector<Program> segments;
};

Segments::Segments(const Network& network) {
  auto impl = std::make_shared<Impl>(network);
  const LiveValues live(network.lowered());
  Graph& graph = *network.lowered().graph;
  const std::vector<Node*>& nodes = live.top().nodes();
  const std::vector<std::size_t> points = PointFinder(network, live).Points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool last = i + 1 == points.size();
    const std::size_t end = last ? nodes.size() : points[i + 1];
    GraphCopy segment = GraphCopy::WithInputsOf(graph);
    for (Value* value : live.At(points[i])) segment.AddInput(value);
    for (std::size_t position = points[i]; position < end; ++position) segment.Add(nodes[position]);
    const std::vector<Value*> results = last ? graph.outputs().vec() : live.At(end);
    for (Value* value : results) segment.graph()->registerOutput(segment.Find(value));
    impl->segments.emplace_back(segment.graph(), "segment");
  }
  impl_ = std::move(impl);
}

std::size_t Segments::count() const { return impl_->segments.size(); }

namespace {

/// Of a tensor's elements, in steps that any type may begin at.
std::int64_t PlaceOf(const at::Tensor& tensor) {
  constexpr std::int64_t kStep = 64;
  return (static_cast<std::int64_t>(tensor.nbytes()) + kStep - 1) / kStep * kStep;
}

bool HasElements(const c10::IValue& value) { return value.isTensor() && value.toTensor().defined(); }

}  // namespace

std::int64_t Segments::State::Bytes() const {
  std::int64_t bytes = 0;
  for (const std::vector<c10::IValue>& batch : values_)
    for (const c10::IValue& value : batch)
      value.visit([&](const c10::IValue& inner) {
        if (HasElements(inner)) bytes += PlaceOf(inner.toTensor());
        return false;
      });
  return bytes;
}

std::int64_t Segments::State::MoveTo(const at::Tensor& memory, std::int64_t begin) {
  for (std::vector<c10::IValue>& batch : values_)
    for (c10::IValue& value : batch) {
      if (!HasElements(value)) continue;  // lists stay where they are
      const at::Tensor from = value.toTensor();
      const at::Tensor place =
          memory.narrow(0, begin, static_cast<std::int64_t>(from.nbytes())).view(from.scalar_type());
      const at::Tensor to = from.is_non_overlapping_and_dense()
                                ? place.as_strided(from.sizes(), from.strides(), place.storage_offset())
                                : place.view(from.sizes());
      value = to.copy_(from);
      begin += PlaceOf(from);
    }
  return begin;
}

Segments::State Segments::Start(const std::vector<at::Tensor>& inputs) const {
  State state;
  state.inputs_ = inputs;
  state.batches_ = impl_->network.impl().batching->Divide(impl_->network.impl(), inputs);
  state.values_.resize(state.batches_.count());
  return state;
}

Segments::State Segments::Run(const State& state, std::size_t end, const std::vector<at::Tensor>& parameters,
                              Probe& probe) const {
  const Network::Impl& network = impl_->network.impl();
  const auto handle = network.Handle(&probe);
  State reached = state;
  for (; reached.segment_ < end; ++reached.segment_) {
    const auto known = [&](std::size_t batch) { return std::move(reached.values_[batch]); };
    reached.values_ =
        network.Run(impl_->segments[reached.segment_], reached.batches_, reached.inputs_, parameters, handle, known);
  }
  return reached;
}

at::Tensor Segments::Output(const State& state) const {
  return impl_->network.impl().Output(state.values_, state.values_.front().size() - 1, state.batches_);
}

}  // namespace bitplan::network
