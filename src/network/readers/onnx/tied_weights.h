#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace bitplan::network {

/// Finds weights that an exporter wrote several times though the model has them once: an embedding and the layer that
/// reads the same tensor, perhaps transposed. Only tensors of two axes and more, of which not all numbers are the same,
/// are told to be one by their values.
class TiedWeights {
 public:
  struct Tie {
    torch::jit::Value* value = nullptr;  ///< of the weight that came before
    bool transposed = false;             ///< whether this one has its axes the other way
  };

  /// What was added before with these values.
  std::optional<Tie> Find(const at::Tensor& values) const;

  void Add(const at::Tensor& values, torch::jit::Value* value);

 private:
  using Key = std::pair<std::int64_t, std::int64_t>;  // axes, elements
  static Key KeyOf(const at::Tensor& values) { return {values.dim(), values.numel()}; }

  std::map<Key, std::vector<std::pair<at::Tensor, torch::jit::Value*>>> weights_;
};

}  // namespace bitplan::network
