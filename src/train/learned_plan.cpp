// What of a network in training is deployed: its plan and its float file.
#include <ATen/ATen.h>

#include <algorithm>

#include "network/model_file.h"
#include "trained_network.h"

namespace bitplan::train {

at::Tensor TrainedNetwork::DeployedWeight(std::size_t layer) const {
  if (layers_[layer].norm) return FoldedWeight(*layers_[layer].norm).detach();
  return values_[static_cast<std::size_t>(float_network_.layers()[layer].weight)].detach();
}

std::vector<at::Tensor> TrainedNetwork::DeployedParameters() const {
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& value : values_) parameters.push_back(value.detach());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = float_network_.layers()[i];
    parameters[static_cast<std::size_t>(layer.weight)] = DeployedWeight(i);
    if (layers_[i].norm) parameters[static_cast<std::size_t>(layer.bias)] = FoldedBias(*layers_[i].norm).detach();
  }
  return parameters;
}

std::vector<TrainedTensor> TrainedNetwork::tensors() {
  std::vector<TrainedTensor> all = tensors_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!layers_[i].quantizer) continue;
    for (TrainedTensor& tensor : TensorsOf(*layers_[i].quantizer, float_network_.layers()[i].name + ".weight")) {
      tensor.learned &= !frozen_.contains(i);
      all.push_back(std::move(tensor));
    }
  }
  for (TrainedTensor& tensor : inputs_.tensors()) all.push_back(std::move(tensor));
  return all;
}

Plan TrainedNetwork::LearnedPlan() const {
  Plan plan = plan_;
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (layers_[i].quantizer)
      std::tie(plan.layers[i].weight, plan.layers[i].learned_weight) = layers_[i].quantizer->Grid(DeployedWeight(i));
  inputs_.Describe(plan);
  return plan;
}

std::vector<at::Tensor> TrainedNetwork::FloatValues() const {
  std::vector<at::Tensor> values = DeployedParameters();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = float_network_.layers()[i];
    at::Tensor& weight = values[static_cast<std::size_t>(layer.weight)];
    if (layers_[i].quantizer) weight = layers_[i].quantizer->Latent(weight);
  }
  return values;
}

std::string TrainedNetwork::ModelFile() const {
  return network::ModelFile(float_network_.WithParameters(FloatValues()).lowered(), inputs_.ChannelBounds());
}

}  // namespace bitplan::train
