#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "network/lowered_graph.h"
#include "readers/onnx/builder.h"
#include "readers/onnx/node.h"
#include "readers/onnx/tied_weights.h"

namespace bitplan::network {

/// The tensors of an ONNX file: floating-point ones that have axes become parameters, the others constants.
class OnnxParameters {
 public:
  /// Finds what each tensor is for: by the first operator that reads it. All arguments outlive this.
  OnnxParameters(LoweredGraph& lowered, OnnxBuilder& builder, const onnx::Graph& graph);

  /// The value of one; of a weight that stood before with the same numbers, that one's, transposed where it has to be.
  OnnxValue Add(const onnx::Tensor& tensor);

 private:
  /// An input of a node, as the parameter remembers it.
  struct Use {
    const onnx::Node* node = nullptr;
    std::size_t input = 0;
    bool is_inside = false;  ///< in a graph of a node
  };
  void FindUses(const onnx::Graph& graph, bool is_inside);
  /// What the tensor is for: the first input that is not passed on alone.
  Use MeaningOf(const std::string& name) const;
  std::string BiasOf(const onnx::Node& node) const;
  std::string NameOf(const onnx::Tensor& tensor, const Use& use);
  std::string StackedLayer(const std::string& layer, const onnx::Node& node) const;
  torch::jit::Value* AddOne(std::string name, const at::Tensor& values, bool trainable);
  torch::jit::Value* AddNew(const onnx::Tensor& tensor, const at::Tensor& values);
  void Remember(const onnx::Tensor& tensor, torch::jit::Value* value);

  LoweredGraph& lowered_;
  OnnxBuilder& builder_;
  std::map<std::string, Use> meanings_;
  std::map<std::string, std::vector<Use>> uses_;
  std::set<std::string> taken_;
  std::map<std::string, std::vector<const onnx::Node*>> recurrent_;  ///< nodes of each module
  TiedWeights tied_;
  /// What was made of tensors of the file, by where their bytes are: bodies of loops are inserted several times.
  std::map<std::pair<const void*, std::string>, TiedWeights::Tie> added_;
};

}  // namespace bitplan::network
