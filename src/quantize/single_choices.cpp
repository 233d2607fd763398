#include "quantize/single_choices.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <utility>

#include "network/image_layout.h"
#include "network/layer_product.h"
#include "process/memory_limit.h"
#include "quantize/corrections/few_values.h"
#include "quantize/squared_norm.h"
#include "tuning.h"

namespace bitplan::quantize {

namespace {

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
  network::LayerProduct product;
  int input_site = -1;
  std::vector<Effect> effects;
  std::vector<std::size_t> weight_choices;
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
    auto product = network::LayerProduct::Of(network_, layer, 0);
    if (!target || !product) return;
    const LayerUse& use = network_.layers()[index].uses.front();
    const auto [number, inserted] = by_output_.try_emplace(use.output_site, watched_.size());
    if (inserted) watched_.push_back({*target, std::move(*product), use.input_site, {}, {}, std::nullopt, 0});
    input_sites_.insert(use.input_site);
    Watched& watched = watched_[number->second];
    Effect& effect = watched.effects.emplace_back();
    effect.choice = choice;
    if (choices_[choice].activation) return;
    effect.weight = static_cast<std::int64_t>(watched.weight_choices.size());
    watched.weight_choices.push_back(choice);
  }

  static void Join(std::optional<ChannelMoments>& sum, const ChannelMoments& more) {
    sum = sum ? Together(*sum, more) : more;
  }

  void Add(Watched& layer, const at::Tensor& y) {
    if (!layer.target.Fits(y)) return;
    const at::Tensor& x = inputs_.at(layer.input_site);
    Join(layer.moments, MomentsOfChannels(y, layer.target.channel_dim));
    layer.squared_norm += SquaredNorm(y);
    const auto choices = static_cast<std::int64_t>(layer.weight_choices.size()), at_once = WeightsAtOnce(layer);
    for (std::int64_t first = 0; first < choices; first += at_once) {
      const std::int64_t count = std::min(at_once, choices - first);
      const at::Tensor changes = layer.product.WithEach(x, WeightChanges(layer, first, count));
      for (Effect& effect : layer.effects)
        if (effect.weight && *effect.weight >= first && *effect.weight < first + count)
          AddChange(layer, y, changes[*effect.weight - first], effect);
    }
    for (Effect& effect : layer.effects)
      if (!effect.weight) AddChange(layer, y, InputChange(layer, effect, x), effect);
  }

  static void AddChange(const Watched& layer, const at::Tensor& y, const at::Tensor& change, Effect& effect) {
    if (!change.defined()) return;
    effect.squared_error += SquaredNorm(change);
    Join(effect.moments, MomentsOfChannels(y + change, layer.target.channel_dim));
  }

  /// Changes of a layer's weight whose products are taken together: of small ones all.
  std::int64_t WeightsAtOnce(const Watched& layer) const {
    return std::max<std::int64_t>(
        1, tuning::kProductsAtOnce / network_.Weight(network_.layers()[layer.target.layer]).numel());
  }

  /// [count, weight…]
  at::Tensor WeightChanges(const Watched& layer, std::int64_t first, std::int64_t count) const {
    const at::Tensor weight = network_.Weight(network_.layers()[layer.target.layer]);
    std::vector<std::int64_t> shape = weight.sizes().vec();
    shape.insert(shape.begin(), count);
    at::Tensor changes = at::empty(shape, weight.options());
    for (std::int64_t i = 0; i < count; ++i) {
      at::Tensor change = changes[i];
      at::sub_out(change, choices_.Weight(layer.weight_choices[static_cast<std::size_t>(first + i)]).value, weight);
    }
    return changes;
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
  SingleChoices result(network, weights);
  result.choices_ = std::move(choices);
  const std::size_t count = result.choices_.size();
  result.inputs_.resize(count);
  result.corrections_.resize(count);
  result.output_errors_.resize(count);

  std::optional<ActivationStatistics> statistics = options.statistics;
  if (!statistics && std::any_of(result.choices_.begin(), result.choices_.end(),
                                 [](const SingleChoice& each) { return each.activation; }))
    statistics = ActivationStatistics::Collect(network, calibration, options.limits, options.progress);
  for (std::size_t i = 0; i < count; ++i) {
    const SingleChoice& choice = result.choices_[i];
    if (!choice.activation) continue;
    for (const int index : choice.layers)
      for (const LayerUse& use : network.layers()[static_cast<std::size_t>(index)].uses)
        if (use.input_site >= 0 && statistics->Has(use.input_site))
          result.inputs_[i].try_emplace(
              use.input_site, QuantizedInput{choice.format, statistics->Range(use.input_site, choice.format)});
  }

  result.KeepWeights(options.limits.memory_bytes / tuning::kShareOfSingleWeights);
  const std::vector<at::Tensor> parameters = network.ParameterValues();
  const network::ImageLayout layout(network, calibration.Get(0, 1, at::Device(network.device())).inputs);
  const auto pass = [&](std::int64_t begin, std::int64_t end, Fitter& fitter) {
    fitter.StartBatch();
    network.Forward(layout(calibration.Get(begin, end, at::Device(network.device())).inputs), parameters, &fitter);
    fitter.StartBatch();
  };
  const std::int64_t samples =
      process::SamplesAPass(std::min(options.limits.batch_size, calibration.size()), options.limits.memory_bytes,
                            result.bytes(), [&](std::int64_t some) {
                              Fitter trial(network, result);
                              pass(0, some, trial);
                            });
  Fitter fitter(network, result);
  for (std::int64_t begin = 0; begin < calibration.size(); begin += samples) {
    const std::int64_t end = std::min(begin + samples, calibration.size());
    pass(begin, end, fitter);
    Report(options.progress, "layer outputs", end, calibration.size());
  }
  for (const Watched& layer : fitter.watched())
    for (const Effect& effect : layer.effects) {
      if (!effect.moments) continue;
      std::optional<double>& error = result.output_errors_[effect.choice];
      error = error.value_or(0) + (layer.squared_norm > 0 ? effect.squared_error / layer.squared_norm : 0);
      if (options.channel_correction && result.choices_[effect.choice].format.HasScale() &&
          layer.moments->elements >= kFewestValues)
        result.corrections_[effect.choice].emplace(static_cast<int>(layer.target.layer),
                                                   FitChannels(network, layer.target, *layer.moments, *effect.moments));
    }
  return result;
}

void SingleChoices::KeepWeights(std::int64_t most_bytes) {
  constexpr std::int64_t kBytesOfValueAndCode = 5;
  std::int64_t bytes = 0;
  for (const SingleChoice& choice : choices_)
    if (!choice.activation)
      bytes += kBytesOfValueAndCode *
               network_.Weight(network_.layers()[static_cast<std::size_t>(choice.layers.front())]).numel();
  if (bytes > most_bytes) return;
  std::vector<QuantizedTensor> weights(choices_.size());
  for (std::size_t i = 0; i < choices_.size(); ++i)
    if (!choices_[i].activation) weights[i] = Weight(i);
  weights_ = std::move(weights);
  kept_bytes_ = bytes;
}

QuantizedTensor SingleChoices::Weight(std::size_t i) const {
  if (!weights_.empty()) return weights_[i];
  return quantized_.At(static_cast<std::size_t>(choices_[i].layers.front()), choices_[i].format.bits);
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
      weight = Weight(i);
    state.parameters[static_cast<std::size_t>(layer.weight)] = weight.value;
  }
  state.inputs = inputs_[i];
  FoldCorrection(network_, corrections_[i], state);
  return state;
}

}  // namespace bitplan::quantize
