#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "readers/onnx/builder.h"
#include "readers/onnx/node.h"
#include "readers/onnx/parameters.h"

namespace bitplan::network {

using OnnxScope = std::map<std::string, OnnxValue>;

/// A graph that is run again and again, of Loop or Scan.
struct OnnxRepetition {
  const onnx::Graph& body;
  torch::jit::Value* trips;                ///< int: how many times at most
  torch::jit::Value* condition;            ///< bool: whether it begins
  bool has_condition = false;              ///< whether the body's first output says that it goes on
  std::vector<OnnxValue> carried;          ///< from iteration to iteration, at first
  std::vector<std::string> carried_names;  ///< inputs of the body that take them
  std::size_t collected = 0;               ///< outputs of the body after those that are carried: one an iteration
  /// What else the body reads in an iteration, whose number is given.
  std::function<void(OnnxScope& scope, torch::jit::Value* trip)> bind;
};

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
  std::vector<OnnxValue> Scan(const OnnxNode& node, const OnnxScope& scope);
  /// What is carried at the end, then what was collected, stacked along a first axis.
  std::vector<OnnxValue> Repeat(const OnnxNode& node, const OnnxRepetition& repetition, const OnnxScope& scope);
  std::vector<OnnxValue> Unrolled(const OnnxRepetition& repetition, const OnnxScope& scope, std::int64_t trips);
  std::vector<OnnxValue> Looped(const OnnxRepetition& repetition, const OnnxScope& scope);
  std::vector<OnnxValue> Body(const onnx::Graph& graph, OnnxScope scope);
  std::vector<torch::jit::Value*> BodyTensors(const onnx::Graph& graph, const OnnxScope& scope);

  OnnxBuilder& builder_;
  OnnxParameters& parameters_;
  std::vector<std::string> cut_at_;
  std::string cut_before_;
  std::size_t inserted_ = 0;      // nodes, each as often as a body that it is in was inserted
  std::int64_t repetitions_ = 1;  // of the bodies that are being written out
};

}  // namespace bitplan::network
