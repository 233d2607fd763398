#include "network/layer_product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// The first tensor that a run meets at a use's output, and the last one at its input before that.
std::pair<at::Tensor, at::Tensor> InputAndOutput(const Network& network, const std::vector<at::Tensor>& inputs,
                                                 const std::vector<at::Tensor>& parameters, const LayerUse& use) {
  Recorder recorder;
  network.Forward(inputs, parameters, &recorder);
  at::Tensor x;
  for (const Recorder::Visited& visit : recorder.visits()) {
    if (visit.site == use.input_site) x = visit.value;
    if (visit.site == use.output_site) return {x, visit.value};
  }
  return {};
}

TEST(LayerProduct, IsWhatAChangeOfTheWeightAddsToTheOutput) {
  std::set<std::string> operators;
  ForEachCase([&](const ModelCase& model) {
    const at::NoGradGuard no_grad;
    const Network network = model.Load(model.kinds().front());
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Layer& layer = network.layers()[i];
      const auto product = network::LayerProduct::Of(network, static_cast<int>(i), 0);
      if (!product) continue;
      const auto [x, before] = InputAndOutput(network, model.Inputs(), network.ParameterValues(), layer.uses[0]);
      if (!x.defined() || !before.defined()) continue;  // in a branch that is not taken
      const at::Tensor change =
          at::sin(at::arange(network.Weight(layer).numel(), at::kFloat)).view_as(network.Weight(layer));
      std::vector<at::Tensor> changed = network.ParameterValues();
      changed[static_cast<std::size_t>(layer.weight)] = network.Weight(layer) + change;
      const auto [same_x, after] = InputAndOutput(network, model.Inputs(), changed, layer.uses[0]);
      EXPECT_LT(MaxDifference(before + (*product)(x, change), after), 1e-4 * (1 + after.abs().max().item<double>()))
          << layer.name;
      operators.insert(layer.op);
    }
  });
  EXPECT_EQ(operators, (std::set<std::string>{"addmm", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
                                              "conv_transpose2d", "conv_transpose3d", "linear", "matmul"}));
}

TEST(LayerProduct, WithSeveralWeightsAtOnceIsWithEachAlone) {
  ForEachCase([&](const ModelCase& model) {
    const at::NoGradGuard no_grad;
    const Network network = model.Load(model.kinds().front());
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const Layer& layer = network.layers()[i];
      const auto product = network::LayerProduct::Of(network, static_cast<int>(i), 0);
      if (!product) continue;
      const at::Tensor x = InputAndOutput(network, model.Inputs(), network.ParameterValues(), layer.uses[0]).first;
      if (!x.defined()) continue;  // in a branch that is not taken
      const at::Tensor wave = at::sin(at::arange(3 * network.Weight(layer).numel(), at::kFloat));
      std::vector<std::int64_t> shape = network.Weight(layer).sizes().vec();
      shape.insert(shape.begin(), 3);
      const at::Tensor weights = wave.view(shape);
      const at::Tensor together = product->WithEach(x, weights);
      ASSERT_EQ(together.size(0), 3);
      for (std::int64_t k = 0; k < 3; ++k) {
        const at::Tensor alone = (*product)(x, weights[k]);
        ASSERT_EQ(together[k].sizes(), alone.sizes()) << layer.name;
        EXPECT_LT(MaxDifference(together[k], alone), 1e-5 * (1 + alone.abs().max().item<double>())) << layer.name;
      }
    }
  });
}

TEST(LayerProduct, ExistsForEveryLayerOfAResidualNetwork) {
  const Network network = ModelCase("small_resnet").Load("scripted");
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    EXPECT_TRUE(network::LayerProduct::Of(network, static_cast<int>(i), 0)) << network.layers()[i].name;
}

TEST(LayerProduct, DoesNotExistForRecurrentLayers) {
  ForEachCase([](const ModelCase& model) {
    const Network network = model.Load(model.kinds().front());
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      if (network.layers()[i].op != "lstm" && network.layers()[i].op != "embedding") continue;
      EXPECT_FALSE(network::LayerProduct::Of(network, static_cast<int>(i), 0)) << network.layers()[i].name;
    }
  });
}

}  // namespace
}  // namespace bitplan::test
