#include "graph_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "attributes.h"
#include "bitplan/error.h"
#include "names.h"
#include "refused_operators.h"
#include "tuning.h"
#include "unknown_fields.h"
#include "value_info.h"

namespace bitplan::onnx {
namespace {

/// Says where.
class PlacedError : public Error {
 public:
  using Error::Error;
};

/// Does it; an Error is told of this, unless it is of a node or tensor within.
void Tell(const std::string& of, const std::function<void()>& step) {
  try {
    step();
  } catch (const PlacedError&) {
    throw;
  } catch (const Error& reason) {
    throw PlacedError(fmt::format("{}: {}", of, reason.what()));
  }
}

std::string Described(const std::string& name, const proto::NodeProto& node) {
  return fmt::format("node {} ({})", Quoted(name), Shown(node.op_type()));
}

/// What of a graph initializers are called that are no inputs besides.
std::unordered_set<std::string> InitializerNames(const proto::GraphProto& graph) {
  std::unordered_set<std::string> names;
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  return names;
}

/// The node from `begin` on that defines the value; null where none does.
const proto::NodeProto* DefinerOf(const std::string& value,
                                  const google::protobuf::RepeatedPtrField<proto::NodeProto>& nodes, int begin) {
  for (int i = begin; i < nodes.size(); ++i)
    if (std::count(nodes[i].output().begin(), nodes[i].output().end(), value) > 0) return &nodes[i];
  return nullptr;
}

std::int64_t IndexInFile(const Frame& frame, int index) { return frame.of_function ? -1 : index; }

}  // namespace

GraphReader::GraphReader(const Message& message, TensorReader& tensors, Operators operators)
    : message_(message),
      tensors_(tensors),
      operators_(operators),
      functions_(message.model),
      most_inlined_bytes_(std::min(tuning::kMostInlinedBytes,
                                   tuning::kFreeInlinedBytes + tuning::kInlinedBytesPerByte * message.bytes)) {}

Graph GraphReader::Read() {
  Frame frame;
  frame.opset = OpsetOf(message_.model.opset_import());
  return ReadGraph(message_.model.graph(), frame, nullptr, 0);
}

Graph GraphReader::ReadGraph(const proto::GraphProto& graph, const Frame& frame, const Scope* outer, int depth) {
  if (depth > tuning::kDeepestGraph) throw Error(fmt::format("graphs nested more than {} deep", tuning::kDeepestGraph));
  Graph read;
  read.name = graph.name();
  CheckName("a graph", read.name);
  Scope scope{outer, {}};
  const Body body{frame, scope, read, depth};
  ReadInitializers(graph, body);
  ReadInputs(graph, body);
  ReadNodes(graph.node(), body);
  ReadOutputs(graph, body);
  return read;
}

void GraphReader::ReadInitializers(const proto::GraphProto& graph, const Body& body) {
  if (graph.sparse_initializer_size() > 0)
    throw Error(fmt::format("initializer {} is sparse; dense ones are read alone",
                            Quoted(graph.sparse_initializer(0).values().name())));
  for (int i = 0; i < graph.initializer_size(); ++i) {
    const auto& initializer = graph.initializer(i);
    Tell("initializer " + Quoted(initializer.name()), [&] {
      if (initializer.name().empty()) throw Error("it has no name");
      Tensor tensor = tensors_.Read(initializer);
      tensor.name = body.frame.Resolve(initializer.name());
      tensor.source = Source::Initializer;
      tensor.index = IndexInFile(body.frame, i);
      Define(tensor.name, body);
      body.graph.initializers.push_back(std::move(tensor));
    });
  }
}

void GraphReader::ReadInputs(const proto::GraphProto& graph, const Body& body) {
  const auto initializers = InitializerNames(graph);
  std::unordered_set<std::string> seen;
  for (const auto& input : graph.input()) {
    if (!seen.insert(input.name()).second) throw Error(fmt::format("two inputs {}", Quoted(input.name())));
    if (initializers.contains(input.name())) continue;  // files of IR 3 name all initializers as inputs
    if (input.name().empty()) throw Error("an input has no name");
    ValueInfo info = ReadValueInfo(input);
    info.name = body.frame.Resolve(info.name);
    Tell("input " + Quoted(info.name), [&] { Define(info.name, body); });
    body.graph.inputs.push_back(std::move(info));
  }
}

void GraphReader::ReadOutputs(const proto::GraphProto& graph, const Body& body) {
  if (graph.output().empty()) throw Error(fmt::format("graph {} has no outputs", Quoted(graph.name())));
  for (const auto& output : graph.output()) {
    ValueInfo info = ReadValueInfo(output);
    info.name = body.frame.Resolve(info.name);
    if (info.name.empty() || !body.scope.Has(info.name))
      throw Error(fmt::format("nothing computes output {}", Quoted(output.name())));
    body.graph.outputs.push_back(std::move(info));
  }
  for (const auto& value : graph.value_info()) {
    if (!value.type().has_tensor_type() || !body.scope.Has(body.frame.Resolve(value.name()))) continue;
    ValueInfo info = ReadValueInfo(value);
    info.name = body.frame.Resolve(info.name);
    body.graph.values.push_back(std::move(info));
  }
}

void GraphReader::ReadNodes(const Nodes& nodes, const Body& body) {
  for (int i = 0; i < nodes.size(); ++i) ReadNode(nodes, i, body);
}

void GraphReader::ReadNode(const Nodes& nodes, int index, const Body& body) {
  const proto::NodeProto& node = nodes[index];
  CheckName("a node", node.name());
  const std::string own_name = NodeNames::OwnName(node, index);
  const std::string name = node_names_.Unique(body.frame.prefix + own_name);
  Tell(Described(name, node), [&] {
    CheckName("its operator", node.op_type());
    CheckUses(nodes, index, body);
    if (const proto::FunctionProto* function = functions_.Find(node)) return Inline(*function, node, own_name, body);
    CheckOperator(node, operators_);
    if (node.op_type() == "Constant")
      AddConstant(node, IndexInFile(body.frame, index), body);
    else
      AddNode(node, name, IndexInFile(body.frame, index), body);
  });
}

void GraphReader::CheckUses(const Nodes& nodes, int index, const Body& body) const {
  for (const std::string& input : nodes[index].input()) {
    const std::string name = body.frame.Resolve(input);
    if (name.empty() || body.scope.Has(name)) continue;
    const proto::NodeProto* definer = DefinerOf(input, nodes, index);
    if (!definer) throw Error(fmt::format("nothing defines its input {}", Quoted(input)));
    throw Error(fmt::format("its input {} is defined later, by node {}; nodes must stand in the order of their use",
                            Quoted(input), Quoted(definer->name())));
  }
}

void GraphReader::AddConstant(const proto::NodeProto& node, std::int64_t index, const Body& body) {
  if (node.input_size() > 0 || node.output_size() != 1 || node.attribute_size() != 1)
    throw Error(fmt::format("a constant has no input, one output and one attribute; it has {}, {} and {}",
                            node.input_size(), node.output_size(), node.attribute_size()));
  const BoundAttribute bound = body.frame.Find(node.attribute(0));
  if (!bound.attribute)
    throw Error(fmt::format("nothing gives attribute {}", Quoted(node.attribute(0).ref_attr_name())));

  const std::size_t decoded = tensors_.decoded_bytes();
  Tensor tensor = ReadConstant(node.attribute(0).name(), *bound.attribute, tensors_);
  tensor.name = body.frame.Resolve(node.output(0));
  if (tensor.name.empty()) throw Error("its output has no name");
  tensor.source = Source::Constant;
  tensor.index = index;
  if (IsInlining())
    Charge(sizeof(Tensor) + tensor.name.size() + SizeOf(*bound.attribute) + tensors_.decoded_bytes() - decoded);
  Define(tensor.name, body);
  body.graph.initializers.push_back(std::move(tensor));
}

void GraphReader::AddNode(const proto::NodeProto& node, const std::string& name, std::int64_t index, const Body& body) {
  Node read;
  read.name = name;
  read.file_name = node.name();
  read.op = node.op_type();
  read.opset = body.frame.opset;
  read.index = index;
  read.modules = ModulesOf(node);
  const std::size_t decoded = tensors_.decoded_bytes();
  std::size_t size = sizeof(Node) + 2 * name.size();
  for (const std::string& input : node.input()) read.inputs.push_back(body.frame.Resolve(input));
  for (const auto& attribute : node.attribute()) {
    const BoundAttribute bound = body.frame.Find(attribute);
    if (!bound.attribute) continue;  // the operator's default
    if (!read.attributes.emplace(attribute.name(), ReadAttribute(bound, body)).second)
      throw Error(fmt::format("two attributes {}", Quoted(attribute.name())));
    size += SizeOf(*bound.attribute);
  }
  for (const std::string& output : node.output()) {
    read.outputs.push_back(body.frame.Resolve(output));
    if (!output.empty()) Define(read.outputs.back(), body);
  }
  for (const auto& value : read.inputs) size += sizeof(value) + value.size();
  for (const auto& value : read.outputs) size += 2 * (sizeof(value) + value.size());  // in the scope, too
  if (IsInlining()) Charge(size + tensors_.decoded_bytes() - decoded);
  Add(std::move(read), body);
}

void GraphReader::Add(Node node, const Body& body) {
  if (++nodes_ > tuning::kMostNodes) throw Error(fmt::format("more than {} nodes", tuning::kMostNodes));
  body.graph.nodes.push_back(std::move(node));
}

AttributeValue GraphReader::ReadAttribute(const BoundAttribute& bound, const Body& body) {
  const proto::AttributeProto& attribute = *bound.attribute;
  CheckName("an attribute", attribute.name());
  if (attribute.type() != proto::AttributeProto::GRAPH) return onnx::ReadAttribute(attribute, tensors_);
  return std::make_shared<const Graph>(ReadGraph(attribute.g(), *bound.frame, &body.scope, body.depth + 1));
}

void GraphReader::Inline(const proto::FunctionProto& function, const proto::NodeProto& call,
                         const std::string& own_name, const Body& body) {
  if (std::find(active_.begin(), active_.end(), &function) != active_.end())
    throw Error(fmt::format("function {} calls itself", Quoted(function.name())));
  const int depth = body.depth + 1;
  if (depth > tuning::kDeepestGraph)
    throw Error(fmt::format("functions nested more than {} deep", tuning::kDeepestGraph));

  Call inlined = Bind(function, call, own_name, body);
  Charge(sizeof(Frame) + inlined.frame.prefix.size());
  active_.push_back(&function);
  const Body inner{inlined.frame, body.scope, body.graph, depth};
  ReadNodes(function.node(), inner);
  active_.pop_back();
  for (const auto& [from, to] : inlined.passed) AddIdentity(from, to, inlined.frame.prefix, inner);
  for (const std::string& output : call.output())
    if (!output.empty() && !body.scope.Has(body.frame.Resolve(output)))
      throw Error(fmt::format("function {} does not compute its output {}", Quoted(function.name()), Quoted(output)));
}

GraphReader::Call GraphReader::Bind(const proto::FunctionProto& function, const proto::NodeProto& call,
                                    const std::string& own_name, const Body& body) {
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size())
    throw Error(fmt::format("function {} has {} inputs and {} outputs; the call has {} and {}", Quoted(function.name()),
                            function.input_size(), function.output_size(), call.input_size(), call.output_size()));
  Call bound;
  bound.frame.of_function = true;
  bound.frame.prefix = functions_.UniquePrefix(body.frame.prefix, own_name);
  const std::int64_t opset = OpsetOf(function.opset_import());
  if (opset != 0) CheckOpset(opset);
  bound.frame.opset = opset != 0 ? opset : body.frame.opset;
  for (int i = 0; i < function.input_size(); ++i) {
    const std::string actual = i < call.input_size() ? body.frame.Resolve(call.input(i)) : "";
    if (!bound.frame.names.emplace(function.input(i), actual).second)
      throw Error(fmt::format("function {} has two inputs {}", Quoted(function.name()), Quoted(function.input(i))));
  }
  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    const std::string actual = body.frame.Resolve(call.output(i));
    const auto [known, is_new] = bound.frame.names.emplace(function.output(i), actual);
    if (!is_new) bound.passed.emplace_back(known->second, actual);  // an input, or an output before it
  }
  BindAttributes(function, call, body, bound.frame);
  return bound;
}

void GraphReader::BindAttributes(const proto::FunctionProto& function, const proto::NodeProto& call, const Body& body,
                                 Frame& frame) const {
  for (const auto& attribute : call.attribute()) {
    const BoundAttribute bound = body.frame.Find(attribute);
    if (bound.attribute && !frame.attributes.emplace(attribute.name(), bound).second)
      throw Error(fmt::format("two attributes {}", Quoted(attribute.name())));
  }
  for (const auto& attribute : message_.defaults.at(&function))
    frame.attributes.emplace(attribute.name(), BoundAttribute{&attribute, &body.frame});
}

void GraphReader::AddIdentity(const std::string& from, const std::string& to, const std::string& call,
                              const Body& body) {
  if (from.empty()) throw Error(fmt::format("its output {} is an input that it leaves out", Quoted(to)));
  Node node;
  node.name = node_names_.Unique(call + "Identity");
  node.op = "Identity";
  node.opset = body.frame.opset;
  node.inputs = {from};
  node.outputs = {to};
  Define(to, body);
  Charge(sizeof(Node) + from.size() + to.size());
  Add(std::move(node), body);
}

void GraphReader::Charge(std::size_t bytes) {
  inlined_bytes_ += bytes;
  if (inlined_bytes_ > most_inlined_bytes_)
    throw Error(fmt::format("its functions take more than {} MiB once they are inlined", most_inlined_bytes_ >> 20));
}

void GraphReader::Define(const std::string& name, const Body& body) {
  CheckName("a value", name);
  if (body.scope.Has(name)) throw Error(fmt::format("value {} is defined twice", Quoted(name)));
  body.scope.names.insert(name);
}

}  // namespace bitplan::onnx
