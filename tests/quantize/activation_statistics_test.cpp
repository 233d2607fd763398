#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "quantize/networks.h"

namespace bitplan {
namespace {

using ::testing::HasSubstr;

Format MaxFormat(int bits) {
  Format format = DefaultActivationFormat().WithBits(bits);
  format.calibrator = Calibrator::Max;
  return format;
}

TEST(ActivationStatistics, MaxRangeCoversWhatTheLayerReads) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({20, 3, 8, 8});
  const auto statistics = ActivationStatistics::Collect(network, data, 7);
  const int site = network.layers()[0].uses[0].input_site;
  const at::Tensor input = AllInputs(data)[0];
  const ActivationRange range = statistics.Range(site, MaxFormat(8));
  const double low = range.scale * static_cast<double>(-range.zero_point);
  const double high = range.scale * static_cast<double>(255 - range.zero_point);
  EXPECT_LE(low, input.min().item<double>() + 1e-6);
  EXPECT_GE(high, input.max().item<double>() - 1e-6);
  EXPECT_NEAR(high - low, (input.max() - input.min()).item<double>(), 2 * range.scale);
}

TEST(ActivationStatistics, DoNotDependOnTheBatchSize) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({20, 3, 8, 8});
  const auto whole = ActivationStatistics::Collect(network, data, 20),
             parts = ActivationStatistics::Collect(network, data, 3);
  for (const Layer& layer : network.layers()) {
    const int site = layer.uses[0].input_site;
    const ActivationRange a = whole.Range(site, MaxFormat(4)), b = parts.Range(site, MaxFormat(4));
    EXPECT_NEAR(a.scale, b.scale, 1e-6 * a.scale);
    EXPECT_EQ(a.zero_point, b.zero_point);
  }
}

TEST(ActivationStatistics, RangeAfterReluStartsAtZero) {
  const Network network = LoadModel("Chain", 2);
  const auto statistics = ActivationStatistics::Collect(network, Samples({20, 3, 8, 8}), 20);
  const int site = network.layers()[1].uses[0].input_site;
  for (const Calibrator calibrator : {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy}) {
    Format format = MaxFormat(4);
    format.calibrator = calibrator;
    EXPECT_EQ(statistics.Range(site, format).zero_point, 0) << ToString(calibrator);
    EXPECT_GT(statistics.Range(site, format).scale, 0) << ToString(calibrator);
  }
}

TEST(ActivationStatistics, SeeEveryVisitOfASite) {
  // The second use reads relu(first): its own site, with its own range.
  const Network network = LoadModel("UsedTwice", 1);
  const auto statistics = ActivationStatistics::Collect(network, Samples({64, 6}), 64);
  const Layer& layer = network.layers()[0];
  ASSERT_EQ(layer.uses.size(), 2u);
  EXPECT_GT(statistics.Range(layer.uses[0].input_site, MaxFormat(8)).zero_point, 0);
  EXPECT_EQ(statistics.Range(layer.uses[1].input_site, MaxFormat(8)).zero_point, 0);
}

TEST(ActivationStatistics, SayWhichInputIsNotFinite) {
  const auto collect = [] {  // finite samples, but their products are not: the second use reads infinity
    ActivationStatistics::Collect(LoadModel("UsedTwice", 1), SignPatterns(6, std::numeric_limits<float>::max()), 64);
  };
  EXPECT_THAT(MessageOf(collect), HasSubstr("layer.input#2"));
}

TEST(ActivationStatistics, RefuseSitesThatAreNoInputsAndBadBatchSizes) {
  const Network network = LoadModel("SharedInput");
  const Dataset data = Samples({4, 6});
  const auto statistics = ActivationStatistics::Collect(network, data, 4);
  EXPECT_THROW(statistics.Range(-1, MaxFormat(8)), Error);
  EXPECT_THROW(statistics.Range(1000, MaxFormat(8)), Error);
  EXPECT_THROW(statistics.Range(network.layers()[0].uses[0].output_site, MaxFormat(8)), Error);
  EXPECT_THROW(statistics.Range(network.layers()[0].uses[0].input_site, MaxFormat(9)), Error);
  EXPECT_THROW(ActivationStatistics::Collect(network, data, 0), Error);
}

TEST(ActivationStatistics, StopWhenTheCallbackThrows) {
  struct Stop {};
  const auto stop = [](const Progress&) { throw Stop(); };
  EXPECT_THROW(ActivationStatistics::Collect(LoadModel("SharedInput"), Samples({4, 6}), 2, stop), Stop);
}

}  // namespace
}  // namespace bitplan
