#include "bitplan/analyze.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "bitplan/quantize.h"
#include "bitplan/version.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"
#include "message_of.h"

namespace bitplan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AnalyzeOptions Options(std::vector<Measure> measures = {Measure::Eigenvalue, Measure::Trace, Measure::WeightError}) {
  AnalyzeOptions options;
  options.weight_bits = {8, 4, 4, 32};
  options.activation_bits = {32, 8, 16};
  options.measures = std::move(measures);
  options.trace.min_probes = 32;
  options.trace.max_probes = 32;
  return options;
}

std::vector<int> Bits(const std::vector<Perturbation>& choices) {
  std::vector<int> bits;
  for (const Perturbation& choice : choices) bits.push_back(choice.bits);
  return bits;
}

const LayerSensitivity& Find(const Sensitivity& sensitivity, const std::string& name) {
  for (const LayerSensitivity& layer : sensitivity.layers) {
    if (layer.name == name) return layer;
  }
  throw std::out_of_range("no layer " + name);
}

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

TEST(Analyze, StatesWhereItsFiguresComeFrom) {
  AnalyzeOptions options;
  options.measures = {Measure::WeightError};
  options.seed = 9;
  const Network network = LoadModel("ConvBatchNorm", false);
  const Sensitivity sensitivity = Analyze(network, LoadSamples("ConvBatchNorm"), options);
  EXPECT_EQ(sensitivity.tool_version, Version());
  EXPECT_EQ(sensitivity.model_sha256, network.sha256());
  EXPECT_EQ(sensitivity.seed, 9U);
  EXPECT_EQ(sensitivity.data.samples, 5);
  EXPECT_EQ(sensitivity.data.spec, "");
  EXPECT_EQ(sensitivity.loss, "cross-entropy");
  EXPECT_FALSE(sensitivity.fold_batch_norm);
  EXPECT_EQ(sensitivity.weight_format, options.weight_format.WithBits(2));
  EXPECT_EQ(sensitivity.activation_format, options.activation_format.WithBits(32));
}

TEST(Analyze, GivesTheLayersFacts) {
  const Sensitivity sensitivity =
      Analyze(LoadModel("ConvBatchNorm"), LoadSamples("ConvBatchNorm"), Options({Measure::WeightError}));
  ASSERT_EQ(sensitivity.layers.size(), 2U);
  const LayerSensitivity& conv = sensitivity.layers[0];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.op, "conv2d");
  EXPECT_EQ(conv.weight_count, 3 * 2 * 3 * 3);
  EXPECT_EQ(conv.macs, 3 * 2 * 3 * 3 * 4 * 4);
  EXPECT_EQ(conv.input_count, 2 * 4 * 4);
  EXPECT_EQ(conv.shape, (LayerShape{2, 3, 3, 1, 4, 54, false}));
  EXPECT_EQ(conv.weight.elements, conv.weight_count);
  EXPECT_EQ(conv.activation.elements, 2 * 4 * 4);
  EXPECT_THAT(Bits(conv.weight_choices), ElementsAre(4, 8, 32));
  EXPECT_THAT(Bits(conv.activation_choices), ElementsAre(8, 16, 32));
}

TEST(Analyze, KnowsStridesKernelsAndDepthwiseConvolutions) {
  const Network network = ScriptedNetwork(R"(
    def forward(self, x):
        return torch.conv2d(x, self.weight, None, [3, 2], [1, 2], [1, 1], 4).flatten(1)[:, :3]
    )",
                                          at::ones({8, 1, 3, 5}));
  const Dataset data = Dataset::FromTensors({at::ones({4, 4, 9, 12})}, {});
  const Sensitivity sensitivity = Analyze(network, data, Options({Measure::WeightError}));
  EXPECT_EQ(sensitivity.layers[0].shape, (LayerShape{4, 8, 5, 3, 12, 120, true}));
}

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

TEST(Analyze, ComputesOnlyWhatTheMeasuresNeed) {
  AnalyzeOptions options;
  std::set<std::string> stages;
  options.progress = [&](const Progress& progress) {
    stages.emplace(progress.stage);
    EXPECT_LE(progress.done, progress.total);
  };
  options.measures = {Measure::WeightError};
  const Sensitivity errors = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
  EXPECT_THAT(stages, ElementsAre("quantizing weights"));
  EXPECT_FALSE(errors.layers[0].weight.eigenvalue || errors.layers[0].weight.trace);
  stages.clear();
  options.measures = {Measure::Trace};
  const Sensitivity traces = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
  EXPECT_THAT(stages, ElementsAre("backward passes", "curvature", "outputs", "quantizing weights"));
  EXPECT_FALSE(traces.layers[0].weight.eigenvalue);
  EXPECT_TRUE(traces.layers[0].weight.trace);
  stages.clear();
  options.exact_hessian = true;
  Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
  EXPECT_THAT(stages, ElementsAre("quantizing weights", "weight traces"));
  stages.clear();
  options.measures = {Measure::LogitShift};
  const Sensitivity shifts = Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
  EXPECT_THAT(stages, ElementsAre("layer outputs", "logit shifts", "quantizing weights"));
  EXPECT_GT(shifts.layers[0].weight_choices[0].figures.at(Measure::LogitShift).value, 0);
  EXPECT_FALSE(shifts.layers[0].weight_choices[0].figures.contains(Measure::Divergence));
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
  EXPECT_EQ(sensitivity.loss, "divergence");
  const double expected = LargestEigenvalue(ReferenceHessian("TanhMlp", "weights", {"fc2.weight"}, "divergence"));
  EXPECT_NEAR(Find(sensitivity, "fc2").weight.eigenvalue.value(), expected, 1e-3 * expected);
}

TEST(Analyze, KeepsALayerThatIsNeverRun) {
  const Sensitivity sensitivity = Analyze(LoadModel("DeadBranch"), LoadSamples("DeadBranch"), Options());
  const LayerSensitivity& never = Find(sensitivity, "never");
  EXPECT_EQ(never.macs, 0);
  EXPECT_THAT(Bits(never.activation_choices), ElementsAre(32));
  EXPECT_THAT(Bits(never.weight_choices), ElementsAre(4, 8, 32));
  EXPECT_EQ(never.weight.eigenvalue.value(), 0);
  EXPECT_EQ(never.weight.trace.value(), 0);
  EXPECT_FALSE(never.weight.trace_significant);
  EXPECT_EQ(never.activation.eigenvalue.value(), 0);
  EXPECT_EQ(never.activation.trace.value(), 0);
  EXPECT_GT(Find(sensitivity, "fc").activation.trace.value(), 0);
}

TEST(Analyze, OfARecurrentNetworkVariesTheInputsThatStandOutsideItsOperators) {
  const Network network = LoadModel("Recurrent");
  const Sensitivity sensitivity = Analyze(network, LoadSamples("Recurrent"), Options({Measure::Eigenvalue}));
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const bool hidden = network.layers()[i].uses[0].input_site < 0;
    EXPECT_EQ(sensitivity.layers[i].activation_choices.size(), hidden ? 1U : 3U);
    EXPECT_EQ(sensitivity.layers[i].input_count == 0, hidden);
    EXPECT_TRUE(sensitivity.layers[i].weight.eigenvalue_converged);
  }
}

TEST(Analyze, GivesTheSameForTheSameSeed) {
  AnalyzeOptions options = Options();
  options.seed = 4;
  const auto analyze = [&] { return Analyze(LoadModel("ConvBatchNorm"), LoadSamples("ConvBatchNorm"), options); };
  const Sensitivity first = analyze(), again = analyze();
  for (std::size_t i = 0; i < first.layers.size(); ++i) {
    EXPECT_EQ(first.layers[i].weight.eigenvalue, again.layers[i].weight.eigenvalue);
    EXPECT_EQ(first.layers[i].weight.trace, again.layers[i].weight.trace);
    EXPECT_EQ(first.layers[i].activation.trace, again.layers[i].activation.trace);
    EXPECT_EQ(first.layers[i].activation_choices[0].squared_error, again.layers[i].activation_choices[0].squared_error);
  }
}

TEST(Analyze, CanBeStoppedAtEveryStage) {
  AnalyzeOptions options = Options();
  std::set<std::string> stages;
  options.progress = [&](const Progress& progress) { stages.emplace(progress.stage); };
  Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options);
  EXPECT_GE(stages.size(), 6U);
  for (const std::string& stage : stages) {
    options.progress = [&](const Progress& progress) {
      if (progress.stage == stage) throw std::domain_error("stop");
    };
    EXPECT_THROW(Analyze(LoadModel("TanhMlp"), LoadSamples("TanhMlp"), options), std::domain_error) << stage;
  }
}

TEST(AnalyzeOptions, NameWhatIsWrong) {
  const auto message = [](void (*change)(AnalyzeOptions&)) {
    AnalyzeOptions options;
    change(options);
    return MessageOf([&] { options.Validate(); });
  };
  EXPECT_THAT(message([](AnalyzeOptions&) {}), "no error");
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.weight_bits = {}; }), HasSubstr("weight_bits is empty"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.weight_bits = {4, 9}; }), HasSubstr("weight_bits holds 9"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.activation_bits = {0}; }),
              HasSubstr("activation_bits holds 0"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.measures = {}; }), HasSubstr("measures is empty"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.precision = 1.5; }), HasSubstr("precision is 1.5"));
  EXPECT_THAT(message([](AnalyzeOptions& options) {
                options.precision = 0.1;
                options.measures = {Measure::Trace, Measure::LogitShift};
              }),
              HasSubstr("trace has no standard error"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.batch_size = 0; }), HasSubstr("batch_size is 0"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.eigen.tolerance = -1; }), HasSubstr("tolerance"));
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.trace.max_probes = 1; }), HasSubstr("max_probes is 1"));
  EXPECT_THAT(message([](AnalyzeOptions& options) {
                options.activation_bits = {8, 32};
                options.activation_format.granularity = Granularity::Channel;
              }),
              HasSubstr("one scale a tensor"));
}

}  // namespace
}  // namespace bitplan
