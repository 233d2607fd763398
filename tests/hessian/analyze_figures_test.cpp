// What an analysis computes, against the quantizer and dense matrices.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "bitplan/quantize.h"
#include "hessian/analyze_case.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"

namespace bitplan::hessian {
namespace {

using ::testing::ElementsAre;

double LargestEigenvalue(const at::Tensor& matrix) {
  const at::Tensor values = std::get<0>(torch::linalg_eigh(matrix, "L"));
  return values[values.abs().argmax()].item<double>();
}

/// Keeps every tensor it is shown.
class Recorder : public Probe {
 public:
  at::Tensor Visit(int site, const at::Tensor& value) override {
    tensors[site].push_back(value);
    return value;
  }
  std::map<int, std::vector<at::Tensor>> tensors;
};

TEST(Analyze, WeightErrorsAreThoseOfTheQuantizer) {
  const Network network = LoadModel("ConvBatchNorm");
  const Sensitivity sensitivity = Analyze(network, LoadSamples("ConvBatchNorm"), Options({Measure::WeightError}));
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const at::Tensor weight = network.Weight(network.layers()[i]).to(torch::kDouble);
    for (const Perturbation& choice : sensitivity.layers[i].weight_choices) {
      const Format format = DefaultWeightFormat().WithBits(choice.bits);
      const at::Tensor quantized =
          QuantizeWeight(weight.to(torch::kFloat), format, network.layers()[i].channel_axis).value;
      const double error = (quantized.to(torch::kDouble) - weight).square().sum().item<double>();
      EXPECT_NEAR(choice.squared_error, error, 1e-5 * error);
      EXPECT_NEAR(choice.relative_error, error / weight.square().sum().item<double>(), 1e-5 * error);
    }
    EXPECT_EQ(sensitivity.layers[i].weight_choices.back().squared_error, 0);
    EXPECT_GT(sensitivity.layers[i].weight_choices.front().squared_error, 0);
  }
}

TEST(Analyze, ActivationErrorsAreMeansOverSamples) {
  const Network network = LoadModel("SharedWeight");  // one layer whose input is visited three times
  const Dataset data = LoadSamples("SharedWeight");
  AnalyzeOptions options = Options({Measure::WeightError});
  options.batch_size = 3;
  const Sensitivity sensitivity = Analyze(network, data, options);
  const LayerSensitivity& layer = Find(sensitivity, "fc");

  Recorder recorder;
  network.Forward(data.Get(0, data.size()).inputs, network.ParameterValues(), &recorder);
  const auto statistics = ActivationStatistics::Collect(network, data, 100);
  const Format format = options.activation_format.WithBits(8);
  std::set<int> sites;
  for (const LayerUse& use : network.layers()[static_cast<std::size_t>(LayerOf(network, "fc.weight"))].uses) {
    sites.insert(use.input_site);
  }
  double error = 0, norm = 0;
  for (const int site : sites) {
    for (const at::Tensor& x : recorder.tensors.at(site)) {
      error += (FakeQuantize(x, format, statistics.Range(site, format)) - x)
                   .to(torch::kDouble)
                   .square()
                   .sum()
                   .item<double>() /
               4;
      norm += x.to(torch::kDouble).square().sum().item<double>() / 4;
    }
  }
  EXPECT_NEAR(layer.activation_choices[0].squared_error, error, 1e-4 * error);
  EXPECT_NEAR(layer.activation_choices[0].relative_error, error / norm, 1e-4 * error / norm);
  EXPECT_GT(layer.activation_choices[1].squared_error, 0);  // 16 bits
  EXPECT_LT(layer.activation_choices[1].squared_error, error);
  EXPECT_EQ(layer.activation_choices[2].squared_error, 0);
  EXPECT_EQ(layer.activation.elements, 3 * 4);
}

TEST(Analyze, CountsATensorThatSeveralOperatorsReadOnce) {
  const Network network = LoadModel("SharedInput");
  AnalyzeOptions options = Options({Measure::WeightError});
  const Sensitivity sensitivity = Analyze(network, LoadSamples("SharedInput"), options);
  for (const LayerSensitivity& layer : sensitivity.layers) {
    EXPECT_EQ(layer.activation.elements, 4);
    EXPECT_GE(layer.tied_group, 0);
    EXPECT_EQ(layer.activation_choices[0].squared_error, sensitivity.layers[0].activation_choices[0].squared_error);
  }
}

TEST(Analyze, WeightCurvatureIsThatOfTheDenseHessian) {
  for (const std::int64_t batch_size : {100, 4}) {
    AnalyzeOptions options = Options();
    options.batch_size = batch_size;
    options.activation_bits = {32};
    options.exact_hessian = true;
    const Sensitivity sensitivity = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
    for (const LayerSensitivity& layer : sensitivity.layers) {
      const at::Tensor hessian = ReferenceHessian("TanhMlp", "weights", {layer.name + ".weight"});
      const double eigenvalue = LargestEigenvalue(hessian), trace = hessian.trace().item<double>();
      EXPECT_NEAR(layer.weight.eigenvalue.value(), eigenvalue, 1e-3 * std::abs(eigenvalue));
      EXPECT_TRUE(layer.weight.eigenvalue_converged);
      EXPECT_LE(layer.weight.eigenvalue_residual, 1e-3 * std::abs(eigenvalue));
      EXPECT_NEAR(layer.weight.trace.value(), trace, 4 * layer.weight.trace_standard_error);
      EXPECT_EQ(layer.weight.trace_significant, *layer.weight.trace > 2 * layer.weight.trace_standard_error);
      EXPECT_FALSE(layer.activation.eigenvalue.has_value());
      EXPECT_THAT(Bits(layer.activation_choices), ElementsAre(32));
    }
  }
}

TEST(Analyze, InputCurvatureIsThatOfASample) {
  constexpr double kSamples = 6;
  for (const std::int64_t batch_size : {100, 4, 1}) {
    AnalyzeOptions options = Options();
    options.batch_size = batch_size;
    const Sensitivity sensitivity = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
    for (const LayerSensitivity& layer : sensitivity.layers) {
      const at::Tensor hessian = ReferenceHessian("TanhMlp", "activations", {layer.name + ".weight"});
      const double eigenvalue = kSamples * LargestEigenvalue(hessian), trace = hessian.trace().item<double>();
      EXPECT_EQ(layer.activation.elements, hessian.size(0) / 6);
      EXPECT_NEAR(layer.activation.eigenvalue.value(), eigenvalue, 1e-3 * std::abs(eigenvalue));
      EXPECT_TRUE(layer.activation.eigenvalue_converged);
      EXPECT_NEAR(layer.activation.trace.value(), trace, 4 * layer.activation.trace_standard_error);
    }
  }
}

/// Of a network that is piecewise linear in each layer the two are the same.
TEST(Analyze, GaussNewtonCurvatureOfAReluNetworkIsThatOfTheDenseHessian) {
  AnalyzeOptions options = Options();
  options.activation_bits = {32};
  const Sensitivity sensitivity = Analyze(LoadModel("ReluMlp"), LoadSamples("ReluMlp"), options);
  const LayerSensitivity& layer = sensitivity.layers.front();
  const at::Tensor hessian = ReferenceHessian("ReluMlp", "weights", {layer.name + ".weight"});
  const double eigenvalue = LargestEigenvalue(hessian), trace = hessian.trace().item<double>();
  EXPECT_NEAR(layer.weight.eigenvalue.value(), eigenvalue, 1e-3 * std::abs(eigenvalue));
  EXPECT_NEAR(layer.weight.trace.value(), trace, 1e-3 * trace);  // 1e-4 of the curvature in the outputs is cut
}

TEST(Analyze, FiguresOfATensorThatSeveralLayersReadAreTheFirstOnes) {
  AnalyzeOptions options;
  options.weight_bits = {4};
  options.activation_bits = {4};
  options.measures = {Measure::LogitShift, Measure::OutputError};
  const Sensitivity sensitivity = Analyze(LoadModel("SharedInput"), LoadSamples("SharedInput"), options);
  for (const Measure measure : options.measures) {
    EXPECT_GT(sensitivity.layers[0].activation_choices[0].figures.at(measure).value, 0);
    for (std::size_t i = 1; i < sensitivity.layers.size(); ++i)
      EXPECT_EQ(sensitivity.layers[i].activation_choices[0].figures.at(measure).value, 0);
    for (const LayerSensitivity& layer : sensitivity.layers)
      EXPECT_GT(layer.weight_choices[0].figures.at(measure).value, 0);
  }
}

TEST(Analyze, TakesDataWithoutLabels) {
  const Sensitivity sensitivity = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp", false), Options());
  EXPECT_EQ(sensitivity.loss, Loss::Divergence);
  const double expected = LargestEigenvalue(ReferenceHessian("TanhMlp", "weights", {"fc2.weight"}, "divergence"));
  EXPECT_NEAR(Find(sensitivity, "fc2").weight.eigenvalue.value(), expected, 1e-3 * expected);
}

}  // namespace
}  // namespace bitplan::hessian
