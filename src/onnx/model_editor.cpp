#include "onnx/model_editor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "bitplan/error.h"
#include "functions.h"
#include "graph_walk.h"
#include "message.h"
#include "names.h"
#include "node_names.h"
#include "opset_changes.h"
#include "protobuf.h"
#include "tensors.h"

namespace bitplan::onnx {
namespace {

/// Two or four bits a code, the first in the lowest bits of a byte.
std::string Packed(const std::vector<std::byte>& codes, int bits) {
  const auto in_byte = static_cast<std::size_t>(8 / bits);
  std::string packed((codes.size() + in_byte - 1) / in_byte, '\0');
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const int code = std::to_integer<int>(codes[i]) & ((1 << bits) - 1);
    packed[i / in_byte] = static_cast<char>(packed[i / in_byte] | code << (static_cast<int>(i % in_byte) * bits));
  }
  return packed;
}

proto::TensorProto MessageOf(const NewTensor& tensor) {
  proto::TensorProto message;
  message.set_name(tensor.name);
  message.set_data_type(static_cast<std::int32_t>(tensor.type));
  for (const std::int64_t size : tensor.shape) message.add_dims(size);
  const int bits = StoredBits(tensor.type);
  message.set_raw_data(bits < 8 ? Packed(tensor.bytes, bits)
                                : std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  return message;
}

proto::AttributeProto MessageOf(const std::string& name, const AttributeValue& value) {
  proto::AttributeProto message;
  message.set_name(name);
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    message.set_type(proto::AttributeProto::INT);
    message.set_i(*number);
  } else if (const auto* const text = std::get_if<std::string>(&value)) {
    message.set_type(proto::AttributeProto::STRING);
    message.set_s(*text);
  } else {
    message.set_type(proto::AttributeProto::INTS);
    for (const std::int64_t item : std::get<std::vector<std::int64_t>>(value)) message.add_ints(item);
  }
  return message;
}

proto::NodeProto MessageOf(const NewNode& node) {
  proto::NodeProto message;
  message.set_op_type(node.op);
  message.set_name(node.outputs.front() + "_" + node.op);
  for (const std::string& input : node.inputs) message.add_input(input);
  for (const std::string& output : node.outputs) message.add_output(output);
  for (const auto& [name, value] : node.attributes) *message.add_attribute() = MessageOf(name, value);
  return message;
}

}  // namespace

struct ModelEditor::Impl {
  /// A node of the file, and what is to stand around it.
  struct Place {
    proto::NodeProto* node = nullptr;
    std::size_t graph = 0;
    int index = 0;
    std::vector<proto::NodeProto> before = {}, after = {};
  };

  std::filesystem::path file;
  std::shared_ptr<Message> message;
  std::vector<proto::GraphProto*> graphs;
  std::vector<std::vector<proto::NodeProto>> first;  // by graph
  std::unordered_map<std::string, Place> nodes;
  std::unordered_set<std::string> names;   // of all values
  std::unordered_set<std::string> unread;  // before anything was changed
  std::set<const proto::NodeProto*> removed;
  FunctionTable functions;
  NodeNames node_names;
  std::int64_t opset = 0;  // that is to be declared at least; 0: as it is

  explicit Impl(const std::filesystem::path& path) : file(path), message(ParseFile(path)), functions(message->model) {
    Index(*message->model.mutable_graph());
    for (const auto& function : message->model.functions())
      for (const auto& node : function.node()) names.insert(node.output().begin(), node.output().end());
    const auto read = ValuesRead(message->model.graph());
    for (const std::string& name : names)
      if (!read.contains(name)) unread.insert(name);
  }

  void Index(proto::GraphProto& graph) {
    const std::size_t number = graphs.size();
    graphs.push_back(&graph);
    first.emplace_back();
    for (const auto& input : graph.input()) names.insert(input.name());
    for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
    for (int i = 0; i < graph.node_size(); ++i) {
      proto::NodeProto& node = *graph.mutable_node(i);
      names.insert(node.output().begin(), node.output().end());
      const std::string name = node_names.Unique(NodeNames::OwnName(node, i));
      if (functions.Find(node)) continue;
      nodes.emplace(name, Place{&node, number, i});
      for (auto& attribute : *node.mutable_attribute())
        if (attribute.has_g()) Index(*attribute.mutable_g());
    }
  }

  Place& Of(const std::string& node) {
    const auto found = nodes.find(node);
    if (found == nodes.end()) throw Error(fmt::format("node {} is in a function's body", Quoted(node)));
    return found->second;
  }

  /// Another name for a value that is already read, wherever it is.
  void Rename(const std::string& from, const std::string& to) {
    ForEachNode(*message->model.mutable_graph(), [&](proto::NodeProto& node) { RenameInputs(node, from, to); });
    for (auto& graph_nodes : first)
      for (auto& node : graph_nodes) RenameInputs(node, from, to);
    for (auto& [name, place] : nodes) {
      for (auto& node : place.before) RenameInputs(node, from, to);
      for (auto& node : place.after) RenameInputs(node, from, to);
    }
  }

  bool IsOutput(const std::string& value) const {
    return std::any_of(graphs.begin(), graphs.end(), [&](const proto::GraphProto* graph) {
      return std::any_of(graph->output().begin(), graph->output().end(),
                         [&](const auto& output) { return output.name() == value; });
    });
  }

  proto::NodeProto* MakerOf(const std::string& value, std::size_t graph) {
    for (auto& node : *graphs[graph]->mutable_node())
      if (std::find(node.output().begin(), node.output().end(), value) != node.output().end()) return &node;
    return nullptr;
  }

  /// In file order, what was added around each node, and the removed ones left out.
  void Arrange() {
    std::unordered_map<const proto::NodeProto*, Place*> places;
    for (auto& [name, place] : nodes) places.emplace(place.node, &place);
    for (std::size_t number = 0; number < graphs.size(); ++number) {
      auto& list = *graphs[number]->mutable_node();
      std::vector<proto::NodeProto*> old(static_cast<std::size_t>(list.size()));
      for (std::size_t i = old.size(); i-- > 0;) old[i] = list.ReleaseLast();
      for (auto& node : first[number]) *list.Add() = std::move(node);
      for (proto::NodeProto* node : old) {
        const auto place = places.find(node);
        if (place != places.end())
          for (auto& added : place->second->before) *list.Add() = std::move(added);
        if (removed.contains(node))
          delete node;
        else
          list.AddAllocated(node);
        if (place != places.end())
          for (auto& added : place->second->after) *list.Add() = std::move(added);
      }
    }
  }

  /// Takes out what was read before the changes and no longer is.
  void Sweep() {
    for (bool changed = true; changed;) {
      changed = false;
      const auto read = ValuesRead(message->model.graph());
      const auto is_dead = [&](const std::string& value) { return !read.contains(value) && !unread.contains(value); };
      for (proto::GraphProto* graph : graphs) changed |= DropDead(*graph, is_dead);
    }
  }

  /// Tensors that lie beside the file, and those of the graphs inside.
  void TakeIn() {
    TensorReader reader(message, file);
    const auto take = [&](proto::TensorProto& tensor) {
      if (tensor.data_location() != proto::TensorProto::EXTERNAL) return;
      const Tensor read = reader.Read(tensor);
      NewTensor own{tensor.name(), read.type, read.shape, {read.bytes.begin(), read.bytes.end()}};
      tensor.set_raw_data(MessageOf(own).raw_data());
      tensor.clear_external_data();
      tensor.clear_data_location();
    };
    for (proto::GraphProto* graph : graphs)
      for (auto& tensor : *graph->mutable_initializer()) take(tensor);
    ForEachNode(*message->model.mutable_graph(), [&](proto::NodeProto& node) {
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) take(*attribute.mutable_t());
        for (auto& tensor : *attribute.mutable_tensors()) take(tensor);
      }
    });
  }
};

ModelEditor::ModelEditor(const std::filesystem::path& file) : impl_(std::make_unique<Impl>(file)) {}

ModelEditor::~ModelEditor() = default;

bool ModelEditor::Has(const std::string& node) const { return impl_->nodes.contains(node); }

std::string ModelEditor::NewName(const std::string& wanted) {
  std::string name = wanted;
  for (int count = 2; !impl_->names.insert(name).second; ++count) name = fmt::format("{}_{}", wanted, count);
  return name;
}

void ModelEditor::Add(const NewTensor& tensor) { *impl_->graphs.front()->add_initializer() = MessageOf(tensor); }

void ModelEditor::AddFirst(const std::string& beside, const NewNode& node) {
  impl_->first[impl_->Of(beside).graph].push_back(MessageOf(node));
}

void ModelEditor::AddBefore(const std::vector<std::string>& readers, const NewNode& node) {
  const auto earliest = std::min_element(readers.begin(), readers.end(), [&](const auto& a, const auto& b) {
    return impl_->Of(a).index < impl_->Of(b).index;
  });
  impl_->Of(*earliest).before.push_back(MessageOf(node));
}

void ModelEditor::AddAfter(const std::string& node, const NewNode& added) {
  impl_->Of(node).after.push_back(MessageOf(added));
}

std::size_t ModelEditor::GraphOf(const std::string& node) const { return impl_->Of(node).graph; }

std::string ModelEditor::InputOf(const NodeInput& place) const {
  const proto::NodeProto& node = *impl_->Of(place.node).node;
  return static_cast<int>(place.index) < node.input_size() ? node.input(static_cast<int>(place.index)) : "";
}

void ModelEditor::SetInput(const NodeInput& place, const std::string& value) {
  proto::NodeProto& node = *impl_->Of(place.node).node;
  while (node.input_size() <= static_cast<int>(place.index)) node.add_input("");
  node.set_input(static_cast<int>(place.index), value);
}

std::string ModelEditor::OutputOf(const std::string& node, std::size_t index) const {
  return impl_->Of(node).node->output(static_cast<int>(index));
}

std::string ModelEditor::DivertOutput(const std::string& node, std::size_t index) {
  proto::NodeProto& message = *impl_->Of(node).node;
  const std::string name = NewName(message.output(static_cast<int>(index)) + "_float");
  message.set_output(static_cast<int>(index), name);
  return name;
}

void ModelEditor::Remove(const std::string& node) {
  Impl::Place& place = impl_->Of(node);
  const std::string input = place.node->input(0), output = place.node->output(0);
  proto::NodeProto* const maker = impl_->MakerOf(input, place.graph);
  if (!maker || impl_->IsOutput(input)) {
    proto::NodeProto identity;
    identity.set_name(place.node->name());
    identity.set_op_type("Identity");
    identity.add_input(input);
    identity.add_output(output);
    *place.node = std::move(identity);
    return;
  }
  impl_->removed.insert(place.node);
  std::replace(maker->mutable_output()->begin(), maker->mutable_output()->end(), input, output);
  impl_->Rename(input, output);
}

void ModelEditor::RaiseOpset(std::int64_t opset) { impl_->opset = std::max(impl_->opset, opset); }

void ModelEditor::RaiseNodesTo(std::int64_t opset) {
  proto::ModelProto& model = impl_->message->model;
  const auto raise = [&](auto* imports, Nodes& nodes) {
    const std::int64_t from = OpsetOf(*imports);
    if (from == 0 || from >= opset) return;
    RaiseNodes(nodes, from, opset, [this](const std::string& wanted) { return NewName(wanted); });
    for (auto& import : *imports)
      if (import.version() == from && (import.domain().empty() || import.domain() == "ai.onnx"))
        import.set_version(opset);
  };
  raise(model.mutable_opset_import(), *model.mutable_graph()->mutable_node());
  for (auto& function : *model.mutable_functions()) raise(function.mutable_opset_import(), *function.mutable_node());
  model.set_ir_version(std::max({model.ir_version(), std::int64_t{4}, IrVersionOf(opset)}));
}

void ModelEditor::SetMetadata(const std::string& key, const std::string& text) {
  auto& all = *impl_->message->model.mutable_metadata_props();
  auto entry = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.key() == key; });
  auto& own = entry == all.end() ? *all.Add() : *entry;
  own.set_key(key);
  own.set_value(text);
}

std::string ModelEditor::Finish() {
  impl_->Arrange();
  if (impl_->opset > 0) RaiseNodesTo(impl_->opset);
  impl_->Sweep();
  impl_->TakeIn();
  const proto::ModelProto& model = impl_->message->model;
  std::string bytes;
  if (model.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !model.SerializeToString(&bytes))
    throw Error("with its external data it is larger than 2 GiB, where ONNX files end");
  return bytes;
}

}  // namespace bitplan::onnx
