// What an analysis makes of a network that runs in batches of a fixed size: what it makes of one whose sizes follow.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/analyze.h"

namespace bitplan::hessian {
namespace {

std::filesystem::path BatchPath(const std::string& file) {
  return std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "batches" / file;
}

/// The seven samples of a model of tests/network/make_batches.py, with labels.
Dataset Samples() {
  std::ifstream file(BatchPath("block.json"));
  const auto inputs = nlohmann::json::parse(file).at("inputs")[0];
  const std::vector<float> values = inputs.at("values");
  const std::vector<std::int64_t> shape = inputs.at("shape");
  return Dataset::FromTensors({at::tensor(values).view(shape)}, at::arange(shape[0]) % 4);
}

AnalyzeOptions Everything(Delta delta, bool exact_hessian) {
  AnalyzeOptions options;
  options.weight_bits = {3};
  options.activation_bits = {4, 32};
  options.measures = {Measure::LogitShift, Measure::Divergence,    Measure::GaussNewton, Measure::Quadratic,
                      Measure::SingleLoss, Measure::OutputError,   Measure::Fisher,      Measure::Trace,
                      Measure::Eigenvalue, Measure::RelativeError, Measure::WeightError};
  options.delta = delta;
  options.exact_hessian = exact_hessian;
  options.trace.min_probes = options.trace.max_probes = 4;
  options.batch_size = 5;
  return options;
}

struct Figure {
  double value = 0;
  double rounding = 1e-8;  ///< what differs by the order of sums
};

/// Every figure of a layer that a plan may be chosen by.
std::vector<Figure> Figures(const LayerSensitivity& layer) {
  std::vector<Figure> figures;
  for (const Curvature& curvature : {layer.weight, layer.activation}) {
    figures.push_back({curvature.eigenvalue.value_or(0)});
    figures.push_back({curvature.trace.value_or(0)});
  }
  for (const auto& choices : {layer.weight_choices, layer.activation_choices})
    for (const Perturbation& choice : choices) {
      figures.push_back({choice.squared_error});
      for (const auto& [measure, figure] : choice.figures) {
        const bool of_losses = measure == Measure::Quadratic || measure == Measure::SingleLoss;
        figures.push_back({figure.value, of_losses ? 1e-6 : 1e-8});
      }
    }
  return figures;
}

TEST(AnalyzeBatches, EveryFigureIsThatOfTheNetworkWithoutAFixedBatch) {
  const Dataset data = Samples();
  for (const auto& options : {Everything(Delta::Measured, false), Everything(Delta::Linear, true)}) {
    const Sensitivity expected = Analyze(Network::Load(BatchPath("block.pt")), data, options);
    ASSERT_EQ(expected.layers.size(), 8u);
    for (const std::string name : {"block_one", "block_four"}) {
      const Sensitivity sensitivity = Analyze(Network::Load(BatchPath(name + ".pt")), data, options);
      for (std::size_t layer = 0; layer < expected.layers.size(); ++layer) {
        const std::vector<Figure> figures = Figures(sensitivity.layers[layer]), same = Figures(expected.layers[layer]);
        ASSERT_EQ(figures.size(), same.size()) << name;
        for (std::size_t i = 0; i < figures.size(); ++i)
          EXPECT_NEAR(figures[i].value, same[i].value, 1e-2 * std::abs(same[i].value) + same[i].rounding)
              << name << " " << expected.layers[layer].name << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace bitplan::hessian
