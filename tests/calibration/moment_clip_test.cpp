#include "moment_clip.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "calibration/histogram.h"
#include "calibration/range.h"
#include "calibration/sample_values.h"

namespace bitplan::calibration {
namespace {

/// What make_moments_reference.py wrote.
const nlohmann::json& Reference() {
  static const auto reference =
      nlohmann::json::parse(std::ifstream(BITPLAN_TEST_DIR "/calibration/moments_reference.json"));
  return reference;
}

std::vector<float> ValuesOf(const nlohmann::json& each) {
  return SampleValues(each.at("count"), each.at("shift"), each.at("zeros") == 1);
}

Format AsymmetricFormat(Calibrator calibrator, int bits) {
  Format format = DefaultActivationFormat().WithBits(bits);
  format.calibrator = calibrator;
  return format;
}

/// The grid that covers what numpy found, up to rounding.
void ExpectCovers(const QuantizationRange& range, const nlohmann::json& ends, const Format& format) {
  const QuantizationRange expected = RangeCovering(ends.at(0), ends.at(1), format);
  EXPECT_NEAR(range.scale, expected.scale, 2e-4 * expected.scale);
  EXPECT_EQ(range.zero_point, expected.zero_point);
}

TEST(MomentClip, HasTheLeastExpectedErrorOfNumericalIntegration) {
  for (const auto& each : Reference().at("clips")) {
    EXPECT_NEAR(LaplaceClip(each.at("bits")), each.at("laplace").get<double>(), 2e-3) << each;
    EXPECT_NEAR(GaussClip(each.at("bits")), each.at("gauss").get<double>(), 2e-3) << each;
  }
}

TEST(MomentClip, HasThePublishedRatios) {
  // Banner et al. 2019, section 4 (Laplace) and the authors' table (normal).
  EXPECT_NEAR(LaplaceClip(2), 2.83, 0.01);
  EXPECT_NEAR(LaplaceClip(3), 3.89, 0.01);
  EXPECT_NEAR(LaplaceClip(4), 5.03, 0.01);
  EXPECT_NEAR(GaussClip(2), 1.71, 0.005);
  EXPECT_NEAR(GaussClip(3), 2.15, 0.005);
  EXPECT_NEAR(GaussClip(4), 2.55, 0.01);
}

TEST(MomentClip, RangesAreNumpys) {
  for (const auto& each : Reference().at("cases")) {
    SCOPED_TRACE(each.at("shift").dump());
    const Distribution distribution = DistributionOf(ValuesOf(each));
    for (const auto& [deviations, ends] : each.at("deviations").items()) {
      Format format = AsymmetricFormat(Calibrator::Deviations, 8);
      format.deviations = std::stod(deviations);
      ExpectCovers(Calibrate(distribution, format), ends, format);
    }
    for (const auto& [bits, of_law] : each.at("analytic").items())
      for (const auto& [law, ends] : of_law.items()) {
        const Format format = AsymmetricFormat(ParseCalibrator(law), std::stoi(bits));
        ExpectCovers(Calibrate(distribution, format), ends, format);
      }
  }
}

TEST(MomentClip, AveragesOfBatchesAreNumpysHoweverTheyWereMerged) {
  for (const auto& each : Reference().at("cases")) {
    const std::vector<float> values = ValuesOf(each);
    Histogram whole, first, second;
    std::size_t begin = 0;
    for (std::size_t k = 0; k < each.at("batches").size(); ++k) {
      const auto batch = std::span(values).subspan(begin, each.at("batches")[k]);
      whole.Add(batch);
      (k < 3 ? first : second).Add(batch);
      begin += batch.size();
    }
    first.Merge(second);
    for (const Histogram* histogram : {&whole, &first}) {
      const Distribution distribution = histogram->Values();
      EXPECT_NEAR(distribution.average.min, each.at("average")[0].get<double>(), 1e-9);
      EXPECT_NEAR(distribution.average.max, each.at("average")[1].get<double>(), 1e-9);
      EXPECT_NEAR(distribution.moving.min, each.at("moving")[0].get<double>(), 1e-9);
      EXPECT_NEAR(distribution.moving.max, each.at("moving")[1].get<double>(), 1e-9);
      for (const auto& [calibrator, key] :
           {std::pair{Calibrator::AverageMax, "average"}, std::pair{Calibrator::MovingAverage, "moving"}}) {
        const Format format = AsymmetricFormat(calibrator, 8);
        ExpectCovers(Calibrate(distribution, format), each.at(key), format);
      }
    }
  }
}

TEST(MomentClip, OfASingleBatchIsItsExtremesAndConstantsKeepTheirRange) {
  const std::vector<float> values = SampleValues(100, 0.2, false), constant(10, 0.5F);
  for (const Calibrator calibrator : {Calibrator::AverageMax, Calibrator::MovingAverage}) {
    const Format format = AsymmetricFormat(calibrator, 8), max = AsymmetricFormat(Calibrator::Max, 8);
    EXPECT_EQ(Calibrate(DistributionOf(values), format).scale, Calibrate(DistributionOf(values), max).scale);
  }
  for (const Calibrator calibrator : {Calibrator::Deviations, Calibrator::Laplace, Calibrator::Gauss}) {
    const QuantizationRange range = Calibrate(DistributionOf(constant), AsymmetricFormat(calibrator, 8));
    EXPECT_NEAR(255 * range.scale, 0.5, 1e-6) << ToString(calibrator);
    EXPECT_EQ(Calibrate(DistributionOf(std::vector<float>(4)), AsymmetricFormat(calibrator, 8)).scale, 1);
  }
}

}  // namespace
}  // namespace bitplan::calibration
