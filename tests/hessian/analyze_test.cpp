// What an analysis says of a network, what it leaves out, and what it refuses.
#include <gmock/gmock.h>

#include <cmath>
#include <set>
#include <stdexcept>

#include "bitplan/version.h"
#include "hessian/analyze_case.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  EXPECT_EQ(sensitivity.loss, Loss::CrossEntropy);
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
  EXPECT_THAT(stages, ElementsAre("Gauss-Newton matrix", "outputs", "quantizing weights"));
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
  EXPECT_THAT(message([](AnalyzeOptions& options) { options.weight_bits = {1, 2, 16}; }), "no error");
  EXPECT_THAT(message([](AnalyzeOptions& options) {
                options.weight_bits = options.activation_bits = {1, 32};
                options.weight_format = {.bits = 1, .type = NumberType::Binary};
              }),
              "no error");
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
}  // namespace bitplan::hessian
