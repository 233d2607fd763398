#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "functions.h"
#include "message.h"
#include "node_names.h"
#include "onnx/model.h"
#include "protobuf.h"
#include "tensors.h"

namespace bitplan::onnx {

/// Makes the plain graph of a model's, with its functions in the place of their calls, and checks the order and names.
class GraphReader {
 public:
  /// Both outlive it. Throws Error as FunctionTable does.
  GraphReader(const Message& message, TensorReader& tensors, Operators operators);

  /// Throws Error naming the node.
  Graph Read();

 private:
  /// The names that are defined where a graph is being read, in it and around it.
  struct Scope {
    const Scope* outer = nullptr;
    std::unordered_set<std::string> names;

    bool Has(const std::string& name) const { return names.contains(name) || (outer && outer->Has(name)); }
  };

  /// A graph in the making.
  struct Body {
    const Frame& frame;
    Scope& scope;
    Graph& graph;
    int depth;
  };

  /// A function's body in the place of a call.
  struct Call {
    Frame frame;
    std::vector<std::pair<std::string, std::string>> passed;  // outputs that are other values of it, from and to
  };

  using Nodes = google::protobuf::RepeatedPtrField<proto::NodeProto>;

  Graph ReadGraph(const proto::GraphProto& graph, const Frame& frame, const Scope* outer, int depth);
  void ReadInitializers(const proto::GraphProto& graph, const Body& body);
  void ReadInputs(const proto::GraphProto& graph, const Body& body);
  void ReadOutputs(const proto::GraphProto& graph, const Body& body);
  void ReadNodes(const Nodes& nodes, const Body& body);
  void ReadNode(const Nodes& nodes, int index, const Body& body);
  void AddConstant(const proto::NodeProto& node, std::int64_t index, const Body& body);
  void AddNode(const proto::NodeProto& node, const std::string& name, std::int64_t index, const Body& body);
  AttributeValue ReadAttribute(const BoundAttribute& bound, const Body& body);
  void Inline(const proto::FunctionProto& function, const proto::NodeProto& call, const std::string& own_name,
              const Body& body);
  Call Bind(const proto::FunctionProto& function, const proto::NodeProto& call, const std::string& own_name,
            const Body& body);
  void BindAttributes(const proto::FunctionProto& function, const proto::NodeProto& call, const Body& body,
                      Frame& frame) const;
  void AddIdentity(const std::string& from, const std::string& to, const std::string& call, const Body& body);
  void CheckUses(const Nodes& nodes, int index, const Body& body) const;
  void Add(Node node, const Body& body);
  bool IsInlining() const { return !active_.empty(); }
  void Charge(std::size_t bytes);
  static void Define(const std::string& name, const Body& body);

  const Message& message_;
  TensorReader& tensors_;
  Operators operators_;
  FunctionTable functions_;
  std::vector<const proto::FunctionProto*> active_;  // being inlined, from the outermost on
  NodeNames node_names_;
  std::size_t nodes_ = 0;
  std::size_t inlined_bytes_ = 0;
  std::size_t most_inlined_bytes_;
};

}  // namespace bitplan::onnx
