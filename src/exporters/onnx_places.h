#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/network.h"
#include "onnx/model.h"
#include "onnx/model_editor.h"

namespace torch::jit {
struct Node;
struct Value;
}  // namespace torch::jit

namespace bitplan::exporters {

/// Where an ONNX file reads a layer's weight.
struct WeightPlace {
  onnx::NodeInput input;
  std::vector<std::int64_t> axes;  ///< axis of the layer's weight for each axis of what the node reads
  /// Of LSTM, GRU and RNN: which of the node's directions the weight is of. What the node reads has all of them, and
  /// gates in an order of its own.
  std::optional<std::size_t> direction = {};
};

/// Where the layers and sites of a network stand in the ONNX file that it was read from.
class OnnxPlaces {
 public:
  /// Both outlive it.
  OnnxPlaces(const Network& network, const onnx::Model& model);

  /// In the order of execution, each once. Throws Error naming the layer where a node reads the weight in a form that
  /// cannot be told.
  std::vector<WeightPlace> WeightsOf(std::size_t layer) const;

  /// Inputs of nodes that are bound for a layer's own bias; throws Error likewise.
  std::vector<onnx::NodeInput> BiasesOf(std::size_t layer) const;

  /// Of a LayerInput or Operand site. Throws Error naming the site where it is inside of a node.
  std::vector<onnx::NodeInput> InputsOf(int site) const;

  /// The nodes whose first output a LayerOutput site is. Throws Error likewise.
  std::vector<std::string> OutputsOf(int site) const;

  /// The batch norms that were folded into a layer, the nearest first.
  std::vector<std::string> NormsOf(std::size_t layer) const;

  /// The inputs of nodes that a parameter which is no layer's weight or bias stands at. Throws Error naming it.
  std::vector<onnx::NodeInput> InputsOf(const Parameter& parameter) const;

  const onnx::Node& NodeOf(const std::string& name) const { return *nodes_.at(name); }

  /// Of a floating-point value: as the file says, or else as most of its tensors.
  onnx::ElementType TypeOf(const std::string& value) const;

 private:
  void Index(const onnx::Graph& graph);
  const onnx::Node& NodeOf(const torch::jit::Node* node, const std::string& what) const;
  WeightPlace PlaceOf(std::size_t layer, const torch::jit::Node* node) const;
  std::string RootOf(const std::string& value) const;
  std::size_t IndexOf(const torch::jit::Node* node, std::size_t operand, const std::string& site) const;

  const Network& network_;
  std::map<std::string, const onnx::Node*> nodes_;
  std::map<std::string, const onnx::Node*> makers_;                // by value
  std::map<std::string, std::vector<const onnx::Node*>> readers_;  // by value
  std::map<std::string, const onnx::Tensor*> tensors_;
  std::map<std::string, onnx::ElementType> types_;                         // of values
  std::map<onnx::ElementType, std::size_t> elements_of_;                   // tensors' elements by floating-point type
  std::map<std::string, std::vector<const torch::jit::Node*>> operators_;  // by node
};

}  // namespace bitplan::exporters
