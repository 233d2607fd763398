#include "trained_network.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bitplan/error.h"
#include "cost/layer_pattern.h"
#include "network/batch_norm.h"
#include "network/model_file.h"
#include "quantize/plan_check.h"
#include "training_graph.h"
#include "training_methods/incremental_weight.h"

namespace bitplan::train {

namespace {

/// The network with batch norm as the plan has it.
Network AsPlanned(const Network& network, const Plan& plan) {
  return plan.fold_batch_norm ? network.WithBatchNormFolded() : network;
}

void RequireTrainable(const Network& network) {
  const auto is_trainable = [&](const Layer& layer) {
    return network.parameters()[static_cast<std::size_t>(layer.weight)].trainable;
  };
  if (std::any_of(network.layers().begin(), network.layers().end(), is_trainable)) return;
  throw Error(
      fmt::format("{}: has no trainable parameters: its weights are constants, as torch.jit.freeze and "
                  "torch.jit.optimize_for_inference "
                  "leave them; save torch.jit.script(model) or torch.jit.trace(model, example) itself, not frozen",
                  network.source()));
}

std::set<std::size_t> FrozenLayers(const Network& network, const std::vector<std::string>& patterns) {
  std::set<std::size_t> frozen;
  for (const std::string& pattern : patterns) {
    const std::vector<std::size_t> named = cost::MatchingLayers(network.layers(), pattern);
    if (named.empty())
      throw Error(fmt::format(
          "freeze: no layer is called '{}', nor is that a pattern or operator of one; see bitplan inspect", pattern));
    frozen.insert(named.begin(), named.end());
  }
  return frozen;
}

void RequireSuited(const Plan& plan, TrainingMethod method) {
  const auto suits = [&](const LayerPlan& layer) {
    return layer.weight.bits < 32 && SuitsWeights(method, layer.weight);
  };
  const auto quantized = [](const LayerPlan& layer) { return layer.weight.bits < 32; };
  if (std::none_of(plan.layers.begin(), plan.layers.end(), quantized) ||
      std::any_of(plan.layers.begin(), plan.layers.end(), suits))
    return;
  throw Error(fmt::format(
      "method {}: suits no weight of the plan, whose formats are {} and the like; choose another method, or a plan of "
      "other formats",
      ToString(method), ToString(std::find_if(plan.layers.begin(), plan.layers.end(), quantized)->weight.type)));
}

bool TrainsNorms(BatchNormFolding folding) { return folding != BatchNormFolding::Frozen; }

}  // namespace

TrainedNetwork::TrainedNetwork(const Network& network, const Plan& plan, const TrainOptions& options)
    : method_(options.method),
      input_method_(options.activation_method.value_or(options.method)),
      incremental_(!options.incremental.empty()),
      float_network_(AsPlanned(network, plan)),
      training_(TrainingGraph::Of(float_network_, !plan.fold_batch_norm || TrainsNorms(options.batch_norm))),
      plan_(quantize::PlanFor(float_network_, plan)),
      generator_(at::make_generator<at::CPUGeneratorImpl>(options.seed)),
      inputs_(float_network_, plan_, input_method_),
      layers_(float_network_.layers().size()),
      frozen_(FrozenLayers(float_network_, options.freeze)),
      weight_decay_(options.weight_decay) {
  RequireTrainable(float_network_);
  if (!incremental_) RequireSuited(plan_, method_);
  if (incremental_ && plan.fold_batch_norm && options.batch_norm != BatchNormFolding::Folded &&
      !float_network_.lowered().folded_norms.empty())
    throw Error(
        fmt::format("incremental quantization keeps folded weights as they are, which batch norm that is trained as {} "
                    "changes; choose folded",
                    ToString(options.batch_norm)));
  if (options.batch_norm == BatchNormFolding::Rescaled && !incremental_ && !LevelsFollowWeight(method_) &&
      plan.fold_batch_norm && !float_network_.lowered().folded_norms.empty())
    throw Error(
        fmt::format("method {}: its levels know nothing of the batch norm's statistics, which run away when it is "
                    "trained as rescaled; choose smoothed or frozen",
                    ToString(method_)));
  plan_.corrections = {};
  plan_.corrections.output = OutputCorrection::None;
  values_ = float_network_.ParameterValues();
  if (plan.fold_batch_norm && options.batch_norm != BatchNormFolding::Folded) AddNorms(network, options.batch_norm);
  AddParameters();
  AddQuantizers();
}

at::Tensor TrainedNetwork::Learn(const std::string& name, const at::Tensor& value, bool learned) {
  const at::Tensor own = value.detach().clone().set_requires_grad(learned);
  tensors_.push_back({name, own, weight_decay_, learned});
  return own;
}

void TrainedNetwork::AddNorms(const Network& unfolded, BatchNormFolding folding) {
  const std::vector<Layer>& layers = unfolded.layers();
  for (const auto& [site, norm] : network::FindBatchNorms(unfolded.lowered())) {
    const auto follows = [where = site](const Layer& layer) { return layer.uses[0].output_site == where; };
    const auto layer = std::find_if(layers.begin(), layers.end(), follows);
    if (layer == layers.end()) continue;
    const std::string& weight = unfolded.parameters()[static_cast<std::size_t>(layer->weight)].name;
    if (float_network_.lowered().folded_norms.contains(weight))
      AddNorm(unfolded, static_cast<std::size_t>(layer - layers.begin()), norm, folding);
  }
}

void TrainedNetwork::AddNorm(const Network& unfolded, std::size_t index, const network::BatchNorm& found,
                             BatchNormFolding folding) {
  const Layer& layer = unfolded.layers()[index];
  const auto learn = [&](std::size_t parameter) {
    const Parameter& each = unfolded.parameters()[parameter];
    return Learn(each.name, each.value, !frozen_.contains(index) && each.trainable);
  };
  auto norm = std::make_unique<NormedLayer>();
  norm->folding = frozen_.contains(index) ? BatchNormFolding::Frozen : folding;
  norm->weight = learn(static_cast<std::size_t>(layer.weight));
  if (layer.bias >= 0) norm->bias = learn(static_cast<std::size_t>(layer.bias));
  norm->mean = learn(found.mean);
  norm->variance = learn(found.variance);
  norm->scale = found.scale ? learn(*found.scale) : at::ones_like(norm->mean);
  norm->offset = found.offset ? learn(*found.offset) : at::zeros_like(norm->mean);
  norm->epsilon = found.epsilon;
  norm->momentum = found.momentum > 0 ? found.momentum : kDefaultMomentum;
  norm->channel_axis = layer.channel_axis;
  norm->output_channel_dim = layer.uses[0].output_channel_dim;
  const LayerUse& use = float_network_.layers()[index].uses[0];
  if (norm->HasTwoProducts()) {
    norm->product = network::LayerProduct::Of(float_network_, static_cast<int>(index), 0);
    if (!norm->product)  // its input cannot be seen: one product has to do
      norm->folding = LevelsFollowWeight(method_) ? BatchNormFolding::Rescaled : BatchNormFolding::Frozen;
    kept_inputs_.insert(use.input_site);
  }
  if (norm->folding != BatchNormFolding::Frozen) layer_of_output_[use.output_site] = index;
  layers_[index].norm = std::move(norm);
}

void TrainedNetwork::AddParameters() {
  const std::vector<Parameter>& parameters = float_network_.parameters();
  std::set<std::size_t> learned, of_norms;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].trainable) learned.insert(i);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = float_network_.layers()[i];
    for (const int each : {layer.weight, layer.bias}) {
      if (each < 0) continue;
      if (layers_[i].norm) of_norms.insert(static_cast<std::size_t>(each));
      if (frozen_.contains(i)) learned.erase(static_cast<std::size_t>(each));
    }
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].value.is_floating_point() && !of_norms.contains(i))
      values_[i] = Learn(parameters[i].name, parameters[i].value, learned.contains(i));
}

std::unique_ptr<training_methods::WeightQuantizer> TrainedNetwork::MakeQuantizer(const Format& format,
                                                                                 int channel_axis) const {
  if (incremental_) return std::make_unique<training_methods::IncrementalWeight>(format, channel_axis);
  return training_methods::MakeWeightQuantizer(MethodForWeights(method_, format), format, channel_axis, generator_);
}

void TrainedNetwork::AddQuantizers() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Format& format = plan_.layers[i].weight;
    const Layer& layer = float_network_.layers()[i];
    layers_[i].quantizer.reset();
    if (!format.HasScale()) continue;
    try {
      layers_[i].quantizer = MakeQuantizer(format, layer.channel_axis);
      layers_[i].quantizer->Initialize(DeployedWeight(i));
      layers_[i].quantizer->Finish();
    } catch (const Error& error) {
      throw Error(fmt::format("layer '{}': {}", layer.name, error.what()));
    }
  }
}

void TrainedNetwork::ChangeFormats(const Plan& plan) {
  const Plan ordered = quantize::PlanFor(float_network_, plan);
  plan_.layers = ordered.layers;
  plan_.operands = ordered.operands;
  inputs_ = TrainedInputs(float_network_, plan_, input_method_);
  AddQuantizers();
}

void TrainedNetwork::QuantizeLargest(double portion) {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (auto* const quantizer = dynamic_cast<training_methods::IncrementalWeight*>(layers_[i].quantizer.get()))
      quantizer->QuantizeLargest(DeployedWeight(i), portion);
}

}  // namespace bitplan::train
