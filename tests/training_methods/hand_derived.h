#pragma once

#include <gmock/gmock.h>
#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "training_methods/trained_quantizer.h"

// Small tensors, and what quantizers make of them, for values and gradients that were worked out by hand.
namespace bitplan::training_methods::hand_derived {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

inline std::vector<float> Floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(torch::kFloat).flatten().contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

inline auto AreNear(const std::vector<float>& expected) { return Pointwise(FloatNear(2e-6F), expected); }

inline at::Tensor Learned(TrainedQuantizer& quantizer, const std::string& name) {
  for (const QuantizerTensor& tensor : quantizer.tensors())
    if (tensor.name == name) return tensor.value;
  return {};
}

inline void Set(TrainedQuantizer& quantizer, const std::string& name, const std::vector<float>& numbers) {
  const at::NoGradGuard no_grad;
  Learned(quantizer, name).copy_(torch::tensor(numbers));
}

template <typename Quantizer>
std::unique_ptr<Quantizer> Started(std::unique_ptr<Quantizer> quantizer, const at::Tensor& first) {
  quantizer->Initialize(first);
  quantizer->Finish();
  return quantizer;
}

inline std::unique_ptr<WeightQuantizer> WeightOf(TrainingMethod method, const Format& format, const at::Tensor& first) {
  return Started(MakeWeightQuantizer(method, format, 0, {}), first);
}

inline std::unique_ptr<InputQuantizer> InputOf(TrainingMethod method, const Format& format, const at::Tensor& first) {
  return Started(MakeInputQuantizer(method, format), first);
}

/// Values and the gradients of Σ g x̂ in x.
struct Result {
  std::vector<float> value, gradient;
};

inline Result Of(TrainedQuantizer& quantizer, const std::vector<float>& numbers, const std::vector<float>& g,
                 bool training = true) {
  const at::Tensor x = torch::tensor(numbers).view({1, -1}).requires_grad_();
  const at::Tensor value = quantizer(x, training);
  value.backward(torch::tensor(g).view_as(value));
  return {Floats(value), Floats(x.grad())};
}

}  // namespace bitplan::training_methods::hand_derived
