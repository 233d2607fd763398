#include "network/activation_trace.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "graph_observer.h"
#include "network/impl.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

bool WritesInPlace(const Node* node) {
  const auto* const schema = node->maybeSchema();
  if (!schema) return false;
  return std::any_of(schema->arguments().begin(), schema->arguments().end(), [](const c10::Argument& argument) {
    return argument.alias_info() && argument.alias_info()->isWrite();
  });
}

/// An observed tensor. Kept, so that no storage is given out twice.
struct Seen {
  const Observation* observation = nullptr;
  at::Tensor tensor;
};

}  // namespace

/// Makes the trace of what was seen.
class ActivationTracer {
 public:
  ActivationTracer(const Network& network, const std::vector<at::Tensor>& inputs) : network_(network) {
    const at::NoGradGuard no_grad;
    const GraphObserver observer(network.lowered(), network.sites());
    graph_ = observer.graph();
    auto handle = c10::make_intrusive<ProbeHandle>();
    std::vector<Seen> seen;
    handle->visit = [&](std::int64_t tap, const at::Tensor& value) {
      if (const Observation* const observation = observer.Of(tap)) seen.push_back({observation, value});
      return value;
    };
    Run(network.impl(), inputs, handle);
    for (const Parameter& parameter : network.parameters())
      if (parameter.value.has_storage()) parameters_.insert(parameter.value.storage().unsafeGetStorageImpl());
    ReadFirst();
    Follow(seen, graph_->return_node());
    SettleWidths();
  }

  ActivationTrace Finish() {
    for (std::size_t t = 0; t < steps_.size(); ++t) {
      if (!steps_[t].makes) continue;
      Moment& moment = trace_.moments.emplace_back(Moment{NameOf(steps_[t].node), {}});
      for (std::size_t v = 0; v < trace_.versions.size(); ++v)
        if (lives_[v].first <= t && t <= lives_[v].second) moment.live.push_back(v);
    }
    return std::move(trace_);
  }

 private:
  struct Step {
    const Node* node = nullptr;
    bool makes = false;  // a tensor, and not a view
  };
  /// How a version is read: by a layer at a site, by an operator that makes the version `handed_on` of it, or
  /// otherwise.
  struct Reader {
    int layer = -1;
    std::optional<std::size_t> handed_on;
  };

  /// One batch: where the network takes no less than several samples, a sample's tensors are a share of theirs.
  void Run(const Network::Impl& network, const std::vector<at::Tensor>& inputs,
           const c10::intrusive_ptr<ProbeHandle>& handle) {
    const Batches batches = network.batching->Divide(network, inputs);
    if (!batches.AsGiven()) copies_ = batches.size / batches.samples;
    network.Run(Program(graph_, "observed"), {}, batches.Inputs(inputs, 0), network_.ParameterValues(), handle);
  }

  void ReadFirst() {
    const auto& layers = network_.layers();
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (const LayerUse& use : layers[i].uses) first_reader_.try_emplace(use.input_site, static_cast<int>(i));
  }

  void Follow(const std::vector<Seen>& seen, const Node* return_node) {
    bool in_results = false;
    for (const auto& [observation, tensor] : seen) {
      if (!tensor.defined() || !tensor.has_storage()) continue;
      if (steps_.empty() || steps_.back().node != observation->node || (in_results && !observation->result)) {
        steps_.push_back({observation->node, false});
        pending_.clear();
      }
      in_results = observation->result;
      if (parameters_.contains(tensor.storage().unsafeGetStorageImpl())) continue;
      if (observation->result) {
        Make(tensor);
      } else {
        Read(tensor, *observation, observation->node == return_node);
      }
    }
  }

  void Read(const at::Tensor& tensor, const Observation& observation, bool returned) {
    const auto found = current_.find(tensor.storage().unsafeGetStorageImpl());
    const std::size_t version =
        found != current_.end() ? found->second : NewVersion(tensor, 0);  // one of the network's inputs
    const std::size_t now = steps_.size() - 1;
    lives_[version].second = now;
    const bool fact = !returned && std::none_of(observation.node->outputs().begin(), observation.node->outputs().end(),
                                                IsTensorValue);
    if (fact) return;  // its shape, say
    const auto layer = first_reader_.find(observation.site);
    readers_[version].push_back(
        {observation.site >= 0 && layer != first_reader_.end() ? layer->second : -1, std::nullopt});
    pending_.emplace_back(version, readers_[version].size() - 1);
  }

  void Make(const at::Tensor& tensor) {
    Step& step = steps_.back();
    const auto found = current_.find(tensor.storage().unsafeGetStorageImpl());
    const bool commutes = Has(step.node, OperatorTrait::CommutesWithRounding);
    if (found != current_.end() && !WritesInPlace(step.node)) {
      // A view: its reader is whoever reads the view.
      for (; !pending_.empty(); pending_.pop_back())
        if (pending_.back().first == found->second) readers_[found->second].pop_back();
      return;
    }
    step.makes = true;
    const std::size_t version = NewVersion(tensor, steps_.size() - 1);
    for (const auto& [read, reader] : pending_)
      if (commutes) readers_[read][reader].handed_on = version;
    pending_.clear();
  }

  std::size_t NewVersion(const at::Tensor& tensor, std::size_t born) {
    auto* const storage = tensor.storage().unsafeGetStorageImpl();
    const auto size = static_cast<std::int64_t>(tensor.element_size());
    const std::size_t buffer = buffers_.try_emplace(storage, buffers_.size()).first->second;
    const BufferVersion version{buffer, static_cast<std::int64_t>(storage->nbytes()) / size / copies_, size};
    is_float_.push_back(tensor.is_floating_point());
    trace_.versions.push_back(version);
    lives_.emplace_back(born, born);
    readers_.emplace_back();
    current_[storage] = trace_.versions.size() - 1;
    return current_[storage];
  }

  /// From the last version to the first, since what an operator hands on comes after what it reads.
  void SettleWidths() {
    for (std::size_t v = trace_.versions.size(); v-- > 0;) {
      std::set<int> layers;
      for (const Reader& reader : readers_[v])
        layers.insert(reader.handed_on ? trace_.versions[*reader.handed_on].layer : reader.layer);
      if (layers.size() == 1 && is_float_[v]) trace_.versions[v].layer = *layers.begin();
    }
  }

  std::string NameOf(const Node* node) {
    std::string name = OperatorName(node);
    for (const Value* operand : node->inputs())
      if (const auto index = ParameterAt(operand); index && name == OperatorName(node))
        for (const Layer& layer : network_.layers())
          if (layer.weight == static_cast<int>(*index)) name = layer.name;
    const int number = ++names_[name];
    return number == 1 ? name : fmt::format("{}#{}", name, number);
  }

  /// ParameterOf in the copied graph.
  std::optional<std::size_t> ParameterAt(const Value* value) const {
    if (value->node()->kind() != c10::prim::Param) return std::nullopt;
    const std::size_t arguments = network_.lowered().arguments.size();
    if (value->offset() < arguments || value->offset() >= arguments + network_.parameters().size()) return std::nullopt;
    return value->offset() - arguments;
  }

  const Network& network_;
  std::shared_ptr<torch::jit::Graph> graph_;  // owns the nodes of the steps
  ActivationTrace trace_;
  std::set<const c10::StorageImpl*> parameters_;
  std::map<const c10::StorageImpl*, std::size_t> buffers_, current_;  // current: version
  std::vector<bool> is_float_;
  std::vector<std::pair<std::size_t, std::size_t>> lives_;    // first and last step of a version
  std::vector<std::vector<Reader>> readers_;                  // of a version
  std::vector<std::pair<std::size_t, std::size_t>> pending_;  // version and reader: what the operator at hand has read
  std::vector<Step> steps_;
  std::map<int, int> first_reader_;  // layer by site
  std::int64_t copies_ = 1;          // of each sample
  std::map<std::string, int> names_;
};

ActivationTrace TraceActivations(const Network& network, const std::vector<at::Tensor>& inputs) {
  return ActivationTracer(network, inputs).Finish();
}

}  // namespace bitplan::network
