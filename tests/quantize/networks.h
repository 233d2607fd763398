#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include "bitplan/quantize.h"
#include "message_of.h"

namespace bitplan {

/// A model of make_reference.py; `output` is the layer whose result it returns.
inline Network LoadModel(const std::string& name, int output = -1) {
  NetworkOptions options;
  if (output >= 0) options.output = std::to_string(output);
  options.samples_first = false;  // of operators alone, whatever their axes are
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "quantize" / "models" / (name + ".pt"), options);
}

/// Samples that are the same in every run.
inline Dataset Samples(const std::vector<std::int64_t>& shape, std::uint64_t seed = 0) {
  return Dataset::FromTensors({at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed))}, {});
}

/// ±`magnitude` in every pattern of signs, [2^features, features]: some of them overflow any product with large
/// weights.
inline Dataset SignPatterns(std::int64_t features, double magnitude) {
  const at::Tensor numbers = at::arange(std::int64_t{1} << features).unsqueeze(1);
  const at::Tensor bits = at::__and__(at::__rshift__(numbers, at::arange(features)), 1);
  return Dataset::FromTensors({(bits.to(at::kFloat) * 2 - 1) * magnitude}, {});
}

inline std::vector<at::Tensor> AllInputs(const Dataset& data) { return data.Get(0, data.size()).inputs; }

/// The same formats for all layers; activations stay in float where they cannot be quantized.
inline Plan UniformPlan(const Network& network, const Format& weight, const Format& activation) {
  Plan plan;
  plan.model_sha256 = network.sha256();
  plan.fold_batch_norm = network.batch_norm_folded();
  for (const Layer& layer : network.layers())
    plan.layers.push_back({layer.name, weight, layer.HasInputSite() ? activation : activation.WithBits(32)});
  return plan;
}

inline Plan UniformPlan(const Network& network, int weight_bits, int activation_bits) {
  return UniformPlan(network, DefaultWeightFormat().WithBits(weight_bits),
                     DefaultActivationFormat().WithBits(activation_bits));
}

}  // namespace bitplan
