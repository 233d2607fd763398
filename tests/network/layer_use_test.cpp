// What Layer and LayerUse claim, tried out on every model: perturb a weight, a bias or an input, and see what moves.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// A network and one sample to try it on.
class Trial {
 public:
  explicit Trial(const ModelCase& model) : network_(model.Load(model.kinds().front())), inputs_(model.SampleInputs()) {}

  const Network& network() const { return network_; }
  const std::vector<at::Tensor>& inputs() const { return inputs_; }

  Recorder Record(const std::vector<at::Tensor>& parameters) const {
    Recorder recorder;
    network_.Forward(inputs_, parameters, &recorder);
    return recorder;
  }

  /// Parameters of which one has grown by `step` at index `channel` along `axis`.
  std::vector<at::Tensor> Perturbed(int parameter, std::int64_t axis, std::int64_t channel, double step) const {
    std::vector<at::Tensor> values = network_.ParameterValues();
    at::Tensor& value = values[static_cast<std::size_t>(parameter)];
    value = value.clone();
    value.select(axis, channel).add_(step);
    return values;
  }

  /// The uses that are reached before any other operator has read the layer's weight: what they read is as it was.
  struct Reached {
    int layer;
    LayerUse use;
    at::Tensor output;
  };
  std::vector<Reached> FirstUses() const {
    const Recorder recorder = Record(network_.ParameterValues());
    std::vector<Reached> reached;
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const Layer& layer = network_.layers()[i];
      if (layer.op == "embedding") continue;
      std::set<int> sites;
      for (const LayerUse& use : layer.uses) sites.insert(use.output_site);
      for (const auto& visit : recorder.visits()) {
        if (visit.site < 0 || !sites.contains(visit.site)) continue;
        for (const LayerUse& use : layer.uses)
          if (use.output_site == visit.site) reached.push_back({static_cast<int>(i), use, visit.value});
        break;
      }
    }
    return reached;
  }

 private:
  Network network_;
  std::vector<at::Tensor> inputs_;
};

/// The first, the last and one in the middle.
std::set<std::int64_t> SomeOf(std::int64_t channels) { return {0, channels / 2, channels - 1}; }

std::set<std::int64_t> ChangedChannels(const at::Tensor& difference, std::int64_t dim) {
  std::set<std::int64_t> changed;
  for (std::int64_t c = 0; c < difference.size(dim); ++c)
    if (difference.select(dim, c).abs().max().item<float>() > 0) changed.insert(c);
  return changed;
}

TEST(LayerUses, IndicesAndNamesAreInOrder) {
  ForEachCase([](const ModelCase& model) {
    const Trial trial(model);
    const Network& network = trial.network();
    std::set<std::string> names, site_names;
    for (const Layer& layer : network.layers()) {
      EXPECT_TRUE(names.insert(layer.name).second) << layer.name << " twice";
      ASSERT_GE(layer.weight, 0);
      ASSERT_LT(static_cast<std::size_t>(layer.weight), network.parameters().size());
      ASSERT_LT(layer.bias, static_cast<int>(network.parameters().size()));
      EXPECT_GE(layer.channel_axis, 0);
      EXPECT_LT(layer.channel_axis, network.Weight(layer).dim());
      EXPECT_FALSE(layer.uses.empty());
      for (const LayerUse& use : layer.uses) {
        ASSERT_LT(use.input_site, static_cast<int>(network.sites().size()));
        ASSERT_LT(use.output_site, static_cast<int>(network.sites().size()));
        if (use.input_site >= 0) {
          EXPECT_EQ(network.sites()[static_cast<std::size_t>(use.input_site)].kind, Site::Kind::LayerInput);
        }
        if (use.output_site >= 0) {
          EXPECT_EQ(network.sites()[static_cast<std::size_t>(use.output_site)].kind, Site::Kind::LayerOutput);
        }
        EXPECT_LT(use.output_channel_dim, 0);
      }
    }
    for (const Site& site : network.sites()) {
      EXPECT_NE(site.name, "");
      EXPECT_TRUE(site_names.insert(site.name).second) << site.name << " twice";
    }
    std::set<std::string> parameter_names;
    for (const Parameter& parameter : network.parameters()) {
      EXPECT_TRUE(parameter_names.insert(parameter.name).second) << parameter.name << " twice";
      EXPECT_FALSE(parameter.value.requires_grad());
    }
  });
}

TEST(LayerUses, AChannelOfTheWeightMovesThatChannelOfTheOutput) {
  ForEachCase([](const ModelCase& model) {
    const Trial trial(model);
    const Network& network = trial.network();
    for (const auto& [index, use, output] : trial.FirstUses()) {
      const Layer& layer = network.layers()[static_cast<std::size_t>(index)];
      const std::int64_t channels = network.Weight(layer).size(layer.channel_axis);
      for (const std::int64_t c : SomeOf(channels)) {
        const Recorder recorder = trial.Record(trial.Perturbed(layer.weight, layer.channel_axis, c, 0.5));
        const std::set<std::int64_t> changed =
            ChangedChannels(recorder.First(use.output_site) - output, use.output_channel_dim);
        // A grouped transposed convolution has a channel of the weight in every group; an operator may read a part of
        // the weight.
        for (const std::int64_t other : changed) EXPECT_EQ((other - *changed.begin()) % channels, 0) << layer.name;
        if (output.size(use.output_channel_dim) == channels) {
          EXPECT_EQ(changed, std::set<std::int64_t>{c}) << layer.name;
        }
      }
    }
  });
}

TEST(LayerUses, TheBiasIsAddedToTheOutput) {
  ForEachCase([](const ModelCase& model) {
    const Trial trial(model);
    const Network& network = trial.network();
    for (const auto& [index, use, output] : trial.FirstUses()) {
      const Layer& layer = network.layers()[static_cast<std::size_t>(index)];
      if (layer.bias < 0) continue;
      const std::int64_t channels = network.parameters()[static_cast<std::size_t>(layer.bias)].value.size(0);
      if (output.size(use.output_channel_dim) != channels) continue;  // the operator reads a part of weight and bias
      for (const std::int64_t c : SomeOf(channels)) {
        const Recorder recorder = trial.Record(trial.Perturbed(layer.bias, 0, c, 1));
        const at::Tensor expected = at::zeros_like(output);
        expected.select(use.output_channel_dim, c).fill_(1);
        EXPECT_LE(MaxDifference(recorder.First(use.output_site) - output, expected), 1e-5) << layer.name;
      }
    }
  });
}

TEST(LayerUses, TheOutputIsLinearInTheInput) {
  ForEachCase([](const ModelCase& model) {
    const Trial trial(model);
    const Network& network = trial.network();
    for (const auto& [index, use, output] : trial.FirstUses()) {
      if (use.input_site < 0) continue;
      const auto with_input_times = [&](double factor) {
        Replacer replacer(use.input_site, [&](const at::Tensor& value) { return value * factor; });
        network.Forward(trial.inputs(), network.ParameterValues(), &replacer);
        return replacer.First(use.output_site);
      };
      const at::Tensor zero = with_input_times(0);
      const double scale = 1 + output.abs().max().item<double>();
      EXPECT_LE(MaxDifference(with_input_times(2) - zero, 2 * (output - zero)), 1e-5 * scale)
          << network.layers()[static_cast<std::size_t>(index)].name;
    }
  });
}

}  // namespace
}  // namespace bitplan::test
