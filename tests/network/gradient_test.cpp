#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

/// s = Σ cos(i) · y_i², as in make_models.py.
at::Tensor Scalar(const at::Tensor& output) {
  return (torch::arange(output.numel(), output.options()).cos() * output.flatten().square()).sum();
}

double RelativeDifference(const at::Tensor& actual, const at::Tensor& expected) {
  return MaxDifference(actual, expected) / expected.abs().max().item<double>();
}

/// Values of all parameters, the layers' weights as leaves to differentiate in.
std::vector<at::Tensor> Leaves(const Network& network) {
  std::vector<at::Tensor> values = network.ParameterValues();
  for (const Layer& layer : network.layers()) {
    at::Tensor& weight = values[static_cast<std::size_t>(layer.weight)];
    weight = weight.clone().requires_grad_();
  }
  return values;
}

std::vector<at::Tensor> Weights(const Network& network, const std::vector<at::Tensor>& values) {
  std::vector<at::Tensor> weights;
  for (const Layer& layer : network.layers()) weights.push_back(values[static_cast<std::size_t>(layer.weight)]);
  return weights;
}

class Derivatives : public testing::TestWithParam<std::pair<const char*, const char*>> {};
INSTANTIATE_TEST_SUITE_P(
    Models, Derivatives,
    testing::Values(std::pair("mlp", "scripted"), std::pair("mlp", "traced"), std::pair("mlp", "training"),
                    std::pair("own_attention", "scripted"), std::pair("own_attention", "traced"),
                    std::pair("in_place_residual", "scripted"), std::pair("in_place_residual", "traced"),
                    std::pair("in_place_activations", "scripted"), std::pair("in_place_activations", "traced"),
                    std::pair("in_place_decoder", "scripted"), std::pair("in_place_decoder", "traced"),
                    std::pair("in_place_views", "scripted"), std::pair("in_place_views", "traced"),
                    std::pair("in_place_parts", "scripted"), std::pair("in_place_fills", "scripted"),
                    std::pair("in_place_fills", "traced"), std::pair("in_place_lists", "scripted"),
                    std::pair("in_place_loop", "scripted"), std::pair("in_place_reshaped", "scripted"),
                    std::pair("in_place_reshaped", "traced")));

TEST_P(Derivatives, FirstAndSecondAreThoseOfPyTorch) {
  const ModelCase model(GetParam().first);
  const Network network = model.Load(GetParam().second, /*fold_batch_norm=*/false);
  const std::vector<at::Tensor> values = Leaves(network);
  const std::vector<at::Tensor> weights = Weights(network, values);
  const at::Tensor scalar = Scalar(network.Forward(model.Inputs(), values));
  const auto gradients = torch::autograd::grad({scalar}, weights, {}, true, /*create_graph=*/true);
  at::Tensor slope = torch::zeros({});
  for (const at::Tensor& gradient : gradients)
    slope = slope + (gradient * torch::arange(gradient.numel()).sin().view_as(gradient)).sum();
  const auto products = torch::autograd::grad({slope}, weights);
  const auto& expected = model.expected().at("derivatives");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& entry = expected.at(network.layers()[i].name + ".weight");
    EXPECT_LE(RelativeDifference(gradients[i], ToTensor(entry.at("gradient"))), 1e-4) << network.layers()[i].name;
    EXPECT_LE(RelativeDifference(products[i], ToTensor(entry.at("hessian_product"))), 1e-4) << network.layers()[i].name;
  }
}

class FiniteDifferences : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, FiniteDifferences,
                         testing::Values("mlp", "conv1d", "conv3d", "encoder_norm_first", "own_cell",
                                         "tied_autoencoder", "tied_embedding", "attention", "sets_in_loop",
                                         "matmul_left", "called_twice", "gru", "lstm_bidirectional",
                                         "computed_weight"));

TEST_P(FiniteDifferences, AgreeWithTheGradient) {
  const ModelCase model(GetParam());
  const Network network = model.Load(model.kinds().front());
  const std::vector<at::Tensor> values = Leaves(network);
  const std::vector<at::Tensor> weights = Weights(network, values);
  const auto gradients = torch::autograd::grad({Scalar(network.Forward(model.Inputs(), values))}, weights);
  at::manual_seed(1);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor direction = torch::randn_like(weights[i]);
    const double predicted = (gradients[i] * direction).sum().item<double>();
    const auto at_distance = [&](double step) {
      std::vector<at::Tensor> moved = network.ParameterValues();
      at::Tensor& weight = moved[static_cast<std::size_t>(network.layers()[i].weight)];
      weight = weight + step * direction;
      return Scalar(network.Forward(model.Inputs(), moved).to(torch::kDouble)).item<double>();
    };
    const double h = 2e-3;
    const double measured =
        (8 * (at_distance(h) - at_distance(-h)) - at_distance(2 * h) + at_distance(-2 * h)) / (12 * h);
    const double scale = gradients[i].norm().item<double>() * direction.norm().item<double>();
    EXPECT_NEAR(measured, predicted, 2e-3 * scale + 1e-4) << network.layers()[i].name;
    EXPECT_GT(gradients[i].abs().max().item<double>(), 0) << network.layers()[i].name;
  }
}

TEST(Gradient, ReachesWhatAProbePutsIn) {
  const ModelCase model("mlp");
  const Network network = model.Load("scripted");
  const at::Tensor leaf = torch::zeros({5, 6}).requires_grad_();
  const int site = network.layers()[1].uses[0].input_site;
  Replacer add(site, [&](const at::Tensor& value) { return value + leaf; });
  network.Forward(model.Inputs(), network.ParameterValues(), &add).sum().backward();
  const at::Tensor expected = network.Weight(network.layers()[1]).sum(0).expand({5, 6});
  EXPECT_LE(MaxDifference(leaf.grad(), expected), 1e-6);
}

TEST(Gradient, FlowsThroughModelsThatWriteToTheirBuffers) {
  for (const std::string name : {"writes_buffers", "keeps_cache", "in_place", "bn_always_training"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const Network network = model.Load("scripted");
    const std::vector<at::Tensor> values = Leaves(network);
    network.Forward(model.Inputs(), values).sum().backward();
    for (const at::Tensor& weight : Weights(network, values)) {
      ASSERT_TRUE(weight.grad().defined());
      EXPECT_TRUE(weight.grad().isfinite().all().item<bool>());
    }
  }
}

TEST(Gradient, IsNotRecordedWhereNobodyAsksForIt) {
  const ModelCase model("small_resnet");
  EXPECT_FALSE(model.Load("scripted").Forward(model.Inputs()).requires_grad());
}

}  // namespace
}  // namespace bitplan::test
