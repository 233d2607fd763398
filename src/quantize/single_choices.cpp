#include "quantize/single_choices.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <utility>

#include "network/image_layout.h"
#include "network/layer_product.h"

namespace bitplan {

namespace {

double SquaredNorm(const at::Tensor& x) { return x.square().sum(at::kDouble).item<double>(); }

/// What one choice does to one layer's output.
struct Effect {
  std::size_t choice = 0;
  std::optional<std::int64_t> weight;     // position among the layer's changes of its weight; nothing for inputs
  std::optional<ChannelMoments> moments;  // of the quantized output
  double squared_error = 0;
};

/// A layer whose output some choices change, by its first use.
struct Watched {
  CorrectionTarget target;
  LayerProduct product;
  int input_site = -1;
  std::vector<Effect> effects;
  std::vector<at::Tensor> weight_changes;
  std::optional<ChannelMoments> moments;  // of the float output
  double squared_norm = 0;
};

}  // namespace

/// Watches the float network run, and computes at every layer's output what the choices would make of it.
class SingleChoices::Fitter : public Probe {
 public:
  Fitter(const Network& network, const SingleChoices& choices) : network_(network), choices_(choices) {
    for (std::size_t i = 0; i < choices.size(); ++i)
      for (const int layer : choices[i].layers) Watch(i, layer);
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (input_sites_.contains(site)) inputs_[site] = value;
    const auto found = by_output_.find(site);
    if (found == by_output_.end() || !visited_.insert(site).second) return value;
    Add(watched_[found->second], value);
    return value;
  }

  void StartBatch() {
    visited_.clear();
    inputs_.clear();
  }

  const std::vector<Watched>& watched() const { return watched_; }

 private:
  void Watch(std::size_t choice, int layer) {
    const auto index = static_cast<std::size_t>(layer);
    const Format weight = choices_[choice].activation ? choices_[choice].format.WithBits(32) : choices_[choice].format;
    const auto target = FindTarget(network_, index, weight);
    auto product = LayerProduct::Of(network_, layer, 0);
    if (!target || !product) return;
    const LayerUse& use = network_.layers()[index].uses.front();
    const auto [number, inserted] = by_output_.try_emplace(use.output_site, watched_.size());
    if (inserted) watched_.push_back({*target, std::move(*product), use.input_site, {}, {}, std::nullopt, 0});
    input_sites_.insert(use.input_site);
    Watched& watched = watched_[number->second];
    Effect& effect = watched.effects.emplace_back();
    effect.choice = choice;
    if (choices_[choice].activation) return;
    effect.weight = static_cast<std::int64_t>(watched.weight_changes.size());
    watched.weight_changes.push_back(choices_.weights_[choice].value - network_.Weight(network_.layers()[index]));
  }

  static void Join(std::optional<ChannelMoments>& sum, const ChannelMoments& more) {
    sum = sum ? Together(*sum, more) : more;
  }

  void Add(Watched& layer, const at::Tensor& y) {
    if (!layer.target.Fits(y)) return;
    const at::Tensor& x = inputs_.at(layer.input_site);
    Join(layer.moments, MomentsOfChannels(y, layer.target.channel_dim));
    layer.squared_norm += SquaredNorm(y);
    const at::Tensor of_weights =
        layer.weight_changes.empty() ? at::Tensor() : layer.product.WithEach(x, at::stack(layer.weight_changes));
    for (Effect& effect : layer.effects) {
      const at::Tensor change = effect.weight ? of_weights[*effect.weight] : InputChange(layer, effect, x);
      if (!change.defined()) continue;
      effect.squared_error += SquaredNorm(change);
      Join(effect.moments, MomentsOfChannels(y + change, layer.target.channel_dim));
    }
  }

  at::Tensor InputChange(const Watched& layer, const Effect& effect, const at::Tensor& x) const {
    const auto& quantized = choices_.inputs_[effect.choice];
    const auto input = quantized.find(layer.input_site);
    if (input == quantized.end()) return {};
    const at::Tensor error = FakeQuantize(x, input->second.format, input->second.range) - x;
    return layer.product(error, network_.Weight(network_.layers()[layer.target.layer]));
  }

  const Network& network_;
  const SingleChoices& choices_;
  std::vector<Watched> watched_;
  std::map<int, std::size_t> by_output_;
  std::set<int> input_sites_, visited_;
  std::map<int, at::Tensor> inputs_;
};

SingleChoices SingleChoices::Fit(const Network& network, const QuantizedWeights& weights,
                                 std::vector<SingleChoice> choices, const Dataset& calibration,
                                 const SingleChoicesOptions& options) {
  const at::NoGradGuard no_gradient;
  SingleChoices result(network);
  result.choices_ = std::move(choices);
  const std::size_t count = result.choices_.size();
  result.weights_.resize(count);
  result.inputs_.resize(count);
  result.corrections_.resize(count);
  result.output_errors_.resize(count);

  std::optional<ActivationStatistics> statistics;
  if (std::any_of(result.choices_.begin(), result.choices_.end(),
                  [](const SingleChoice& each) { return each.activation; }))
    statistics = ActivationStatistics::Collect(network, calibration, options.batch_size, options.progress);
  for (std::size_t i = 0; i < count; ++i) {
    const SingleChoice& choice = result.choices_[i];
    if (!choice.activation) {
      result.weights_[i] = weights.At(static_cast<std::size_t>(choice.layers.front()), choice.format.bits);
      continue;
    }
    for (const int index : choice.layers)
      for (const LayerUse& use : network.layers()[static_cast<std::size_t>(index)].uses)
        if (use.input_site >= 0 && statistics->Has(use.input_site))
          result.inputs_[i].try_emplace(
              use.input_site, QuantizedInput{choice.format, statistics->Range(use.input_site, choice.format)});
  }

  Fitter fitter(network, result);
  const std::vector<at::Tensor> parameters = network.ParameterValues();
  const ImageLayout layout(network, calibration.Get(0, 1, at::Device(network.device())).inputs);
  for (std::int64_t begin = 0; begin < calibration.size(); begin += options.batch_size) {
    const std::int64_t end = std::min(begin + options.batch_size, calibration.size());
    fitter.StartBatch();
    network.Forward(layout(calibration.Get(begin, end, at::Device(network.device())).inputs), parameters, &fitter);
    Report(options.progress, "layer outputs", end, calibration.size());
  }
  for (const Watched& layer : fitter.watched())
    for (const Effect& effect : layer.effects) {
      if (!effect.moments) continue;
      std::optional<double>& error = result.output_errors_[effect.choice];
      error = error.value_or(0) + (layer.squared_norm > 0 ? effect.squared_error / layer.squared_norm : 0);
      if (options.channel_correction && result.choices_[effect.choice].format.HasScale())
        result.corrections_[effect.choice].emplace(static_cast<int>(layer.target.layer),
                                                   FitChannels(network, layer.target, *layer.moments, *effect.moments));
    }
  return result;
}

QuantizedState SingleChoices::State(std::size_t i) const {
  QuantizedState state;
  state.parameters = network_.ParameterValues();
  const std::size_t layers = network_.layers().size();
  state.weights.resize(layers);
  state.gains.resize(layers);
  const SingleChoice& choice = choices_[i];
  for (const int index : choice.layers) {
    const Layer& layer = network_.layers()[static_cast<std::size_t>(index)];
    QuantizedTensor& weight = state.weights[static_cast<std::size_t>(index)];
    if (choice.activation)
      weight = QuantizeWeight(network_.Weight(layer), choice.format.WithBits(32), layer.channel_axis);
    else
      weight = weights_[i];
    state.parameters[static_cast<std::size_t>(layer.weight)] = weight.value;
  }
  state.inputs = inputs_[i];
  FoldCorrection(network_, corrections_[i], state);
  return state;
}

}  // namespace bitplan
