#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "calibration/naive_error.h"
#include "calibration/range.h"
#include "calibration/sample_values.h"
#include "histogram_divergence.h"

namespace bitplan::calibration {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// What numpy found for one sample and format; see make_reference.py.
struct NumpyCase {
  nlohmann::json numbers;
  std::vector<float> values;
  Format format;
};

std::vector<NumpyCase> References() {
  std::ifstream file(BITPLAN_TEST_DIR "/calibration/reference.json");
  const auto document = nlohmann::json::parse(file);
  std::vector<NumpyCase> references;
  for (const auto& each : document.at("cases")) {
    Format format;
    format.bits = each.at("bits");
    format.scheme = each.at("symmetric") ? Scheme::Symmetric : Scheme::Asymmetric;
    format.narrow_range = each.at("narrow");
    references.push_back({each, SampleValues(each.at("count"), each.at("shift"), each.at("zeros") == 1), format});
  }
  return references;
}

TEST(CalibrationReference, HasAllItsCases) { EXPECT_EQ(References().size(), 60); }

TEST(CalibrationReference, MseComesWithinAPerCentOfTheBestOfADenseScan) {
  for (auto& [numbers, values, format] : References()) {
    const double error = NaiveError(values, Calibrate(DistributionOf(values), format), format);
    EXPECT_LE(error, numbers.at("least_squared_error").get<double>() * 1.01) << numbers;
  }
}

TEST(CalibrationReference, DivergencesEqualNumpys) {
  int compared = 0;
  for (const auto& [numbers, values, format] : References()) {
    if (!numbers.contains("divergences")) continue;
    const HistogramDivergence divergence(DistributionOf(values));
    for (const auto& each : numbers.at("divergences")) {
      const double expected = each.at(2);
      EXPECT_NEAR(divergence({each.at(0), each.at(1)}, format, kUnbounded), expected, 1e-9 + 1e-6 * expected)
          << each << numbers;
      ++compared;
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(CalibrationReference, EntropyComesWithinAPerCentOfTheLeastDivergenceOfADenseScan) {
  int compared = 0;
  for (auto& [numbers, values, format] : References()) {
    if (!numbers.contains("least_divergence")) continue;
    format.calibrator = Calibrator::Entropy;
    const Distribution distribution = DistributionOf(values);
    const double divergence = HistogramDivergence(distribution)(Calibrate(distribution, format), format, kUnbounded);
    EXPECT_LE(divergence, numbers.at("least_divergence").get<double>() * 1.01) << numbers;
    ++compared;
  }
  EXPECT_EQ(compared, 20);
}

TEST(CalibrationReference, PercentilesEqualNumpys) {
  for (auto& [numbers, values, format] : References()) {
    format.calibrator = Calibrator::Percentile;
    for (const auto& [percent, expected] : numbers.at("percentiles").items()) {
      format.percentile = std::stod(percent);
      const QuantizationRange range = Calibrate(DistributionOf(values), format);
      if (format.scheme == Scheme::Symmetric) {
        EXPECT_FLOAT_EQ(static_cast<float>(range.scale), expected.get<float>()) << percent << numbers;
        continue;
      }
      const QuantizationRange covering = RangeCovering(expected.at(0), expected.at(1), format);
      EXPECT_EQ(range.scale, covering.scale) << percent << numbers;
      EXPECT_EQ(range.zero_point, covering.zero_point) << percent << numbers;
    }
  }
}

}  // namespace
}  // namespace bitplan::calibration
