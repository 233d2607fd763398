#include <ATen/ATen.h>

#include "bitplan/quantize.h"
#include "trained_network.h"
#include "training_probe.h"

namespace bitplan::train {

namespace {

/// Shows values to the quantizers of inputs, and leaves them as they are.
class ObservingProbe : public Probe {
 public:
  explicit ObservingProbe(TrainedInputs& inputs) : inputs_(inputs) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (!last_.defined() || !last_.is_same(value) || site != last_site_) inputs_.Observe(site, value);
    last_ = value;
    last_site_ = site;
    return value;
  }

 private:
  TrainedInputs& inputs_;
  at::Tensor last_;
  int last_site_ = -1;
};

}  // namespace

void TrainedNetwork::Observe(const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  ObservingProbe probe(inputs_);
  float_network_.Forward(inputs, DeployedParameters(), &probe);
}

void TrainedNetwork::Finish() { inputs_.Finish(); }

void TrainedNetwork::Seed(std::uint64_t seed) {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_current_seed(seed);
}

at::Tensor TrainedNetwork::Quantize(std::size_t layer, const at::Tensor& weight, bool training) {
  const Format& format = plan_.layers[layer].weight;
  if (layers_[layer].quantizer) return (*layers_[layer].quantizer)(weight, training);
  return format.bits < 32 ? FakeQuantize(weight, format, {}) : weight;
}

std::vector<at::Tensor> TrainedNetwork::Parameters(bool training) {
  std::vector<at::Tensor> parameters = values_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = float_network_.layers()[i];
    at::Tensor& weight = parameters[static_cast<std::size_t>(layer.weight)];
    const NormedLayer* const norm = layers_[i].norm.get();
    const auto quantize = [&](const at::Tensor& value) { return Quantize(i, value, training); };
    if (norm && training && norm->folding != BatchNormFolding::Frozen) {
      weight = ProductWeight(*norm, quantize);
      at::Tensor& bias = parameters[static_cast<std::size_t>(layer.bias)];
      bias = at::zeros_like(bias);
      continue;
    }
    weight = quantize(norm ? FoldedWeight(*norm) : weight);
    if (norm) parameters[static_cast<std::size_t>(layer.bias)] = FoldedBias(*norm);
  }
  return parameters;
}

at::Tensor TrainedNetwork::Forward(const std::vector<at::Tensor>& inputs, bool training) {
  TrainingProbe probe(*this, training);
  return (training ? training_ : float_network_).Forward(inputs, Parameters(training), &probe);
}

void TrainedNetwork::AfterStep() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (!layers_[i].quantizer) continue;
    layers_[i].quantizer->AfterStep();
    at::Tensor& weight = layers_[i].norm ? layers_[i].norm->weight
                                         : values_[static_cast<std::size_t>(float_network_.layers()[i].weight)];
    if (weight.requires_grad()) layers_[i].quantizer->ClipWeight(weight);
  }
  inputs_.AfterStep();
}

}  // namespace bitplan::train
