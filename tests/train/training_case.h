#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>

#include "bitplan/train.h"

namespace bitplan {

/// The small network of make_reference.py, and the 16 images it was trained on.
inline std::filesystem::path TrainDir() { return std::filesystem::path(BITPLAN_TEST_DIR) / "train"; }
inline std::filesystem::path NormedModel() { return TrainDir() / "models" / "normed.pt"; }

/// As Train takes networks.
inline Network Unfolded(const std::filesystem::path& model, NetworkOptions options = {}) {
  options.fold_batch_norm = false;
  return Network::Load(model, options);
}

inline Dataset SmallData() { return Dataset::Load("pt:" + (TrainDir() / "data.pt").string(), {}); }

/// One width for all weights and one for all inputs of a model.
inline Plan PlanOf(const std::filesystem::path& model, int weight_bits, int activation_bits,
                   bool fold_batch_norm = true) {
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm;
  const Network network = Network::Load(model, options);
  Plan plan = PlanWithoutSearch("configuration", "configuration");
  plan.model_sha256 = network.sha256();
  plan.fold_batch_norm = fold_batch_norm;
  for (const Layer& layer : network.layers())
    plan.layers.push_back(
        {layer.name, DefaultWeightFormat().WithBits(weight_bits), DefaultActivationFormat().WithBits(activation_bits)});
  return plan;
}

inline std::vector<at::Tensor> AllInputs(const Dataset& data) { return data.Get(0, data.size()).inputs; }

/// Few, short epochs of several steps, with every kind of draw.
inline TrainOptions SmallOptions() {
  TrainOptions options;
  options.epochs = 3;
  options.batch_size = 4;
  options.learning_rate = 0.02;
  options.distillation = 0;
  options.held_out = 0.25;
  options.crop_padding = 1;
  options.flip = true;
  return options;
}

}  // namespace bitplan
