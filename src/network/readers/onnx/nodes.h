#pragma once

#include <map>
#include <string>
#include <vector>

#include "readers/onnx/builder.h"
#include "readers/onnx/node.h"
#include "readers/onnx/parameters.h"

namespace bitplan::network {

using OnnxScope = std::map<std::string, OnnxValue>;

/// Inserts the operators of an ONNX graph, and those of the graphs inside it.
class OnnxNodes {
 public:
  /// Both outlive this.
  OnnxNodes(OnnxBuilder& builder, OnnxParameters& parameters) : builder_(builder), parameters_(parameters) {}

  /// The tensors and nodes of a graph; what they are is put into the scope.
  void Insert(const onnx::Graph& graph, OnnxScope& scope);

  /// Names of the values that nodes read that have no operator in ATen, and behind which the network is cut off.
  const std::vector<std::string>& cut_at() const { return cut_at_; }
  /// The first such node, "NonMaxSuppression 'nms'"; empty where there is none.
  const std::string& cut_before() const { return cut_before_; }

 private:
  void InsertNode(const onnx::Node& node, OnnxScope& scope);
  std::vector<OnnxValue> Results(const OnnxNode& node, const OnnxScope& scope);
  std::vector<OnnxValue> Cut(const onnx::Node& node, const OnnxScope& scope);
  std::vector<OnnxValue> If(const OnnxNode& node, const OnnxScope& scope);
  std::vector<OnnxValue> Loop(const OnnxNode& node, const OnnxScope& scope);
  std::vector<OnnxValue> Unrolled(const OnnxNode& node, const OnnxScope& scope, std::int64_t trips);
  std::vector<OnnxValue> Body(const onnx::Graph& graph, OnnxScope scope);
  std::vector<torch::jit::Value*> BodyTensors(const onnx::Graph& graph, const OnnxScope& scope);

  OnnxBuilder& builder_;
  OnnxParameters& parameters_;
  std::vector<std::string> cut_at_;
  std::string cut_before_;
};

}  // namespace bitplan::network
