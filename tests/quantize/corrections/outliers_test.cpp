#include "corrections/outliers.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include "files/temporary_folder.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {
namespace {

using testing::HasSubstr;

/// Features 1 and 4 are large on a few samples, one of them negative.
Dataset WithOutliers() {
  at::Tensor x = AllInputs(Samples({64, 6}, 3))[0].clamp(-3, 3);
  x[5][1] = -40;
  x[17][4] = 25;
  return Dataset::FromTensors({x}, {});
}

Plan PlanFor(const Network& network, double threshold) {
  Format activation = DefaultActivationFormat();
  activation.calibrator = Calibrator::Max;
  Plan plan = UniformPlan(network, DefaultWeightFormat(), activation);
  plan.corrections.output = OutputCorrection::None;
  plan.corrections.outlier_threshold = threshold;
  return plan;
}

at::Tensor InFloat16(const at::Tensor& x) { return x.to(at::kHalf).to(at::kDouble); }

/// The definition, in double precision: codes for the rest, float16 for columns 1 and 4.
TEST(Outliers, ALayerIsTheSumOfAnIntegerAndAFloat16Product) {
  const Network network = LoadModel("SharedInput");  // the sum of two layers
  const Dataset data = WithOutliers();
  const at::Tensor x = AllInputs(data)[0].to(at::kDouble), kept = at::tensor({1, 4}), rest = at::tensor({0, 2, 3, 5});
  const at::Tensor x_rest = x.index_select(1, rest);
  const double low = x_rest.min().item<double>(), covering = (x_rest.max().item<double>() - low) / 255;
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, PlanFor(network, 6), data);
  const double x_scale = static_cast<float>(StateOf(quantized).inputs.begin()->second.range.scale),
               zero = std::nearbyint(-low / x_scale);
  EXPECT_NEAR(x_scale, covering, 0.01 * covering) << "the range is of the rest";
  const at::Tensor q = ((x_rest / x_scale).round() + zero).clamp(0, 255) - zero;
  at::Tensor expected = at::zeros({x.size(0), 4}, at::kDouble);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const at::Tensor w = network.Weight(layer).to(at::kDouble),
                     scale = quantized.weights()[i].scale.to(at::kDouble).unsqueeze(1);
    const at::Tensor codes = (w.index_select(1, rest) / scale).round().clamp(-128, 127);
    expected += (q * x_scale).matmul((codes * scale).t()) +
                InFloat16(x.index_select(1, kept)).matmul(InFloat16(w.index_select(1, kept)).t()) +
                network.parameters()[static_cast<std::size_t>(layer.bias)].value;
    EXPECT_TRUE(at::equal(quantized.weights()[i].outlier_columns, kept));
    EXPECT_LT(scale.max().item<double>(), w.index_select(1, rest).abs().max().item<double>() / 100)
        << "the grid is of the rest";
  }
  EXPECT_LE((quantized.Forward(AllInputs(data)) - expected).abs().max().item<double>(), 1e-4);
}

TEST(Outliers, LeaveASmallerErrorThanOneRangeForAll) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = WithOutliers();
  const at::Tensor exact = network.Forward(AllInputs(data));
  const auto error = [&](double threshold) {
    return (QuantizedNetwork::Create(network, PlanFor(network, threshold), data).Forward(AllInputs(data)) - exact)
        .square()
        .mean()
        .item<double>();
  };
  EXPECT_LT(error(6), 0.1 * error(0));
  EXPECT_EQ(error(1000), error(0)) << "nothing is beyond";
  EXPECT_EQ(error(1e-6), error(0)) << "everything is, and a plan that quantizes nothing is not what was asked for";
}

TEST(Outliers, AreSavedAsTheyRun) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = WithOutliers();
  Plan plan = PlanFor(network, 6);
  plan.corrections.output = OutputCorrection::Channel;
  plan.corrections.rounding = Rounding::Gptq;
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
  std::vector<at::Tensor> weights;
  for (const Layer& layer : network.layers()) weights.push_back(network.Weight(layer));
  const at::Tensor x = AllInputs(data)[0], output = quantized.Forward({x});
  EXPECT_TRUE(at::equal(quantized.Forward({x}, weights), output));
  const TemporaryFolder folder;
  quantized.Save(folder / "saved.pt");
  auto module = torch::jit::load((folder / "saved.pt").string());
  EXPECT_TRUE(at::equal(module.forward({x}).toTensor(), output));
  quantized.SavePacked(folder / "packed");
  const std::string packed = Contents(folder / "packed");
  EXPECT_THAT(packed, HasSubstr(network.layers()[0].name + ".weight/outlier_columns"));
  EXPECT_THAT(packed, HasSubstr(network.layers()[0].name + ".weight/outlier_values"));
}

TEST(Outliers, AreOfLinearLayersAlone) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Dataset::FromTensors({AllInputs(Samples({8, 3, 8, 8}))[0] * 100}, {});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, PlanFor(network, 6), data);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    EXPECT_TRUE(network.layers()[i].op == "linear" || !quantized.weights()[i].outlier_columns.defined())
        << network.layers()[i].name;
}

TEST(Outliers, AThresholdBelowZeroOrNotANumberIsRefused) {
  const Network network = LoadModel("SharedInput");
  for (const double threshold : {-1.0, std::nan("")}) {
    Corrections corrections;
    corrections.outlier_threshold = threshold;
    EXPECT_THAT(MessageOf([&] { corrections.Validate(); }), HasSubstr("outlier threshold"));
  }
}

}  // namespace
}  // namespace bitplan::quantize
