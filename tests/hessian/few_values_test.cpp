// Figures of an analysis on few samples: no correction is judged on the samples that it was fitted on.
#include "quantize/corrections/few_values.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include "bitplan/analyze.h"
#include "hessian/scripted_network.h"

namespace bitplan::hessian {
namespace {

const std::string kLinear = "def forward(self, x):\n  return torch.linear(x, self.weight)\n";

Network Linear() { return ScriptedNetwork(kLinear, torch::arange(24, at::kFloat).view({4, 6}).sin()); }

Dataset Vectors(std::int64_t samples) {
  torch::manual_seed(3);
  return Dataset::FromTensors({torch::randn({samples, 6})}, {});
}

/// Of the weight at 2 bits.
double LogitShiftOn(std::int64_t samples, bool corrected) {
  AnalyzeOptions options;
  options.weight_bits = {2, 32};
  options.activation_bits = {32};
  options.measures = {Measure::LogitShift};
  options.loss = Loss::LogitShift;
  options.channel_correction = corrected;
  const Sensitivity sensitivity = Analyze(Linear(), Vectors(samples), options);
  return sensitivity.layers[0].weight_choices[0].figures.at(Measure::LogitShift).value;
}

TEST(FewValues, HaveTheFiguresOfNoCorrection) {
  for (const std::int64_t samples : {1, 2, 3, 31}) {
    EXPECT_GT(LogitShiftOn(samples, true), 1e-3) << samples;
    EXPECT_DOUBLE_EQ(LogitShiftOn(samples, true), LogitShiftOn(samples, false)) << samples;
  }
  EXPECT_NE(LogitShiftOn(200, true), LogitShiftOn(200, false));  // enough: there the correction is part of it
}

TEST(FewValues, AreOfLayersWithLessThanThirtyTwoAChannel) {
  EXPECT_THAT(quantize::LayersOfFewValues(Linear(), Vectors(31)), testing::SizeIs(1));
  EXPECT_THAT(quantize::LayersOfFewValues(Linear(), Vectors(32)), testing::IsEmpty());
  const Network sequences = ScriptedNetwork(kLinear, torch::ones({4, 6}));
  EXPECT_THAT(quantize::LayersOfFewValues(sequences, Dataset::FromTensors({torch::ones({2, 16, 6})}, {})),
              testing::IsEmpty());
}

}  // namespace
}  // namespace bitplan::hessian
