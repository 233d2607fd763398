#include "graph_walk.h"

#include <algorithm>

namespace bitplan::onnx {
namespace {

void AddRead(const proto::GraphProto& graph, std::unordered_set<std::string>& read) {
  for (const auto& node : graph.node()) {
    read.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) AddRead(attribute.g(), read);
      for (const auto& inner : attribute.graphs()) AddRead(inner, read);
    }
  }
  for (const auto& output : graph.output()) read.insert(output.name());
}

template <typename Field, typename Predicate>
bool Drop(Field& field, const Predicate& predicate) {
  const auto kept = std::remove_if(field.begin(), field.end(), predicate);
  const bool any = kept != field.end();
  field.erase(kept, field.end());
  return any;
}

}  // namespace

void ForEachNode(proto::GraphProto& graph, const std::function<void(proto::NodeProto&)>& visit) {
  for (auto& node : *graph.mutable_node()) {
    visit(node);
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) ForEachNode(*attribute.mutable_g(), visit);
      for (auto& inner : *attribute.mutable_graphs()) ForEachNode(inner, visit);
    }
  }
}

std::unordered_set<std::string> ValuesRead(const proto::GraphProto& graph) {
  std::unordered_set<std::string> read;
  AddRead(graph, read);
  return read;
}

void RenameInputs(proto::NodeProto& node, const std::string& from, const std::string& to) {
  std::replace(node.mutable_input()->begin(), node.mutable_input()->end(), from, to);
}

bool DropDead(proto::GraphProto& graph, const std::function<bool(const std::string&)>& is_dead) {
  const auto named_dead = [&](const auto& named) { return is_dead(named.name()); };
  std::unordered_set<std::string> initializers;
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  Drop(*graph.mutable_initializer(), named_dead);
  Drop(*graph.mutable_value_info(), named_dead);
  Drop(*graph.mutable_input(),
       [&](const auto& input) { return initializers.contains(input.name()) && is_dead(input.name()); });
  return Drop(*graph.mutable_node(), [&](const proto::NodeProto& node) {
    return std::all_of(node.output().begin(), node.output().end(),
                       [&](const std::string& output) { return output.empty() || is_dead(output); });
  });
}

}  // namespace bitplan::onnx
