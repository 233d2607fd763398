#pragma once

#include <map>
#include <set>
#include <string>

#include "network/lowered_graph.h"
#include "readers/onnx/builder.h"
#include "readers/onnx/node.h"

namespace bitplan::network {

/// The tensors of an ONNX file: floating-point ones that have axes become parameters, the others constants.
class OnnxParameters {
 public:
  /// Finds what each tensor is for: by the first operator that reads it. All arguments outlive this.
  OnnxParameters(LoweredGraph& lowered, OnnxBuilder& builder, const onnx::Graph& graph);

  /// The value of one; a tensor that others are equal to, and of the same use, is the same value.
  OnnxValue Add(const onnx::Tensor& tensor);

 private:
  struct Use {
    const onnx::Node* node = nullptr;
    std::size_t input = 0;
  };
  void FindUses(const onnx::Graph& graph);
  std::string NameOf(const onnx::Tensor& tensor, const Use& use);

  LoweredGraph& lowered_;
  OnnxBuilder& builder_;
  std::map<std::string, Use> uses_;
  std::set<std::string> taken_;
  std::map<std::pair<const void*, std::vector<std::int64_t>>, torch::jit::Value*> tied_;
};

}  // namespace bitplan::network
