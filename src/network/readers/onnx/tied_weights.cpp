#include "readers/onnx/tied_weights.h"

#include <ATen/ATen.h>

namespace bitplan::network {

namespace {

/// Unlike weights differ in their first numbers already.
bool AreEqual(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && at::equal(a.select(0, 0), b.select(0, 0)) && at::equal(a, b);
}

bool SaysSomething(const at::Tensor& values) {
  return values.dim() >= 2 && values.numel() >= 2 && !values.eq(values.flatten()[0]).all().item<bool>();
}

}  // namespace

std::optional<TiedWeights::Tie> TiedWeights::Find(const at::Tensor& values) const {
  const auto found = weights_.find(KeyOf(values));
  if (found == weights_.end()) return std::nullopt;
  for (const auto& [weight, value] : found->second) {
    if (AreEqual(values, weight)) return Tie{value, false};
    if (values.dim() == 2 && AreEqual(values.t(), weight)) return Tie{value, true};
  }
  return std::nullopt;
}

void TiedWeights::Add(const at::Tensor& values, torch::jit::Value* value) {
  if (SaysSomething(values)) weights_[KeyOf(values)].emplace_back(values, value);
}

}  // namespace bitplan::network
