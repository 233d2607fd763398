#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bitplan::hessian {

/// The tensors that a probe has met in one run. Every operator that reads a tensor calls the probe with it; this tells
/// a second reader from a second tensor.
class VisitedTensors {
 public:
  /// Position of `value` among the tensors added, or nothing.
  std::optional<std::size_t> Find(const at::Tensor& value) const {
    for (std::size_t i = 0; i < visits_.size(); ++i) {
      if (visits_[i].tensor.is_same(value) && visits_[i].version == Version(value)) return i;
    }
    return std::nullopt;
  }

  void Add(const at::Tensor& value) { visits_.push_back({value, Version(value)}); }

 private:
  struct Visit {
    at::Tensor tensor;  // kept, so that no other tensor gets its address
    std::int64_t version;
  };

  // Changes when an in-place operator writes to the tensor.
  static std::int64_t Version(const at::Tensor& value) {
    return value.is_inference() ? 0 : static_cast<std::int64_t>(value._version());
  }

  std::vector<Visit> visits_;
};

}  // namespace bitplan::hessian
