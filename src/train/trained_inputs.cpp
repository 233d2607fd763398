#include "trained_inputs.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "bitplan/train.h"
#include "quantize/plan_check.h"

namespace bitplan::train {

std::vector<TrainedTensor> TensorsOf(training_methods::TrainedQuantizer& quantizer, const std::string& of) {
  std::vector<TrainedTensor> tensors;
  for (const training_methods::QuantizerTensor& each : quantizer.tensors())
    tensors.push_back({fmt::format("{}.{}", of, each.name), each.value, each.weight_decay, each.learned});
  return tensors;
}

TrainedInputs::TrainedInputs(const Network& network, const Plan& plan, TrainingMethod method)
    : of_layer_(network.layers().size()) {
  std::map<int, std::size_t> of_group;  // of layers that read the same tensors, directly or through each other
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const Format& format = plan.layers[i].activation;
    if (format.bits == 32 || !layer.HasInputSite()) continue;
    const auto tied = of_group.find(layer.tied_group);
    const std::size_t own = tied != of_group.end() ? tied->second : Add(layer.name + ".input", format, method);
    if (layer.tied_group >= 0) of_group.emplace(layer.tied_group, own);
    of_layer_[i] = own;
    for (const LayerUse& use : layer.uses)
      if (use.input_site >= 0) of_site_.emplace(use.input_site, own);
  }
  for (const OperandPlan& operand : plan.operands) {
    of_operand_.push_back(Add(operand.name, operand.format, method));
    of_site_.try_emplace(quantize::OperandSite(network, operand.name), of_operand_.back());
  }
}

std::size_t TrainedInputs::Add(const std::string& name, const Format& format, TrainingMethod method) {
  Input input{name, format, nullptr};
  if (format.HasScale() && format.calibrator != Calibrator::Dynamic)
    input.quantizer = training_methods::MakeInputQuantizer(MethodForInputs(method, format), format);
  inputs_.push_back(std::move(input));
  return inputs_.size() - 1;
}

void TrainedInputs::Observe(int site, const at::Tensor& value) {
  const auto found = of_site_.find(site);
  if (found == of_site_.end()) return;
  Input& input = inputs_[found->second];
  input.dimensions = value.dim();
  if (!input.quantizer) return;
  try {
    input.quantizer->Initialize(value);
  } catch (const Error& error) {
    throw Error(fmt::format("'{}': {}", input.name, error.what()));
  }
}

void TrainedInputs::Finish() {
  for (Input& input : inputs_) {
    if (!input.quantizer) continue;
    if (input.dimensions == 0)
      input.quantizer.reset();
    else
      input.quantizer->Finish();
  }
}

at::Tensor TrainedInputs::Quantize(int site, const at::Tensor& value, bool training) {
  const auto found = of_site_.find(site);
  if (found == of_site_.end()) return value;
  Input& input = inputs_[found->second];
  if (input.quantizer) return (*input.quantizer)(value, training);
  const bool has_range = !input.format.HasScale() || input.format.calibrator == Calibrator::Dynamic;
  return has_range ? FakeQuantize(value, input.format, {}) : value;
}

void TrainedInputs::AfterStep() {
  for (Input& input : inputs_)
    if (input.quantizer) input.quantizer->AfterStep();
}

std::vector<TrainedTensor> TrainedInputs::tensors() {
  std::vector<TrainedTensor> all;
  for (Input& input : inputs_) {
    if (!input.quantizer) continue;
    const auto own = TensorsOf(*input.quantizer, input.name);
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

void TrainedInputs::Describe(Plan& plan) const {
  for (std::size_t i = 0; i < of_layer_.size(); ++i) {
    if (!of_layer_[i] || !inputs_[*of_layer_[i]].quantizer) continue;
    std::tie(plan.layers[i].activation, plan.layers[i].learned_input) = inputs_[*of_layer_[i]].quantizer->Range();
  }
  for (std::size_t i = 0; i < of_operand_.size(); ++i)
    if (inputs_[of_operand_[i]].quantizer)
      std::tie(plan.operands[i].format, plan.operands[i].learned) = inputs_[of_operand_[i]].quantizer->Range();
}

std::map<int, at::Tensor> TrainedInputs::ChannelBounds() const {
  std::map<int, at::Tensor> bounds;
  for (const auto& [site, index] : of_site_) {
    const Input& input = inputs_[index];
    const std::vector<double> channels = input.quantizer ? input.quantizer->ChannelBounds() : std::vector<double>();
    if (channels.empty()) continue;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dimensions) - 1, 1);
    shape[0] = static_cast<std::int64_t>(channels.size());
    bounds[site] = at::tensor(channels, at::kFloat).view(shape);
  }
  return bounds;
}

}  // namespace bitplan::train
