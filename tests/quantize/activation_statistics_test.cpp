#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
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

TEST(ActivationStatistics, ReadBackGiveEveryCalibratorTheSameRange) {
  const Network network = LoadModel("Chain", 2);
  const auto statistics = ActivationStatistics::Collect(network, Samples({50, 3, 8, 8}), 16);
  const TemporaryFolder folder;
  WriteFile(folder / "statistics.json", statistics.ToJson());
  const auto read = ActivationStatistics::Read(folder / "statistics.json", network);
  int compared = 0;
  for (std::size_t site = 0; site < network.sites().size(); ++site) {
    ASSERT_EQ(read.Has(static_cast<int>(site)), statistics.Has(static_cast<int>(site)));
    if (!read.Has(static_cast<int>(site))) continue;
    EXPECT_EQ(read.Extremes(static_cast<int>(site)), statistics.Extremes(static_cast<int>(site)));
    for (const Calibrator calibrator :
         {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy, Calibrator::AverageMax,
          Calibrator::MovingAverage, Calibrator::Deviations, Calibrator::Laplace, Calibrator::Gauss}) {
      Format format = DefaultActivationFormat().WithBits(4);
      format.calibrator = calibrator;
      const ActivationRange a = statistics.Range(static_cast<int>(site), format),
                            b = read.Range(static_cast<int>(site), format);
      EXPECT_EQ(a.scale, b.scale) << ToString(calibrator);
      EXPECT_EQ(a.zero_point, b.zero_point);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 27);
  QuantizeOptions options;
  options.statistics = read;
  const Plan plan = UniformPlan(network, 4, 8);
  const Dataset few = Samples({8, 3, 8, 8}, 1);  // which the correction is fitted on
  const auto x = AllInputs(Samples({4, 3, 8, 8}, 2));
  const at::Tensor output = QuantizedNetwork::Create(network, plan, few, options).Forward(x);
  options.statistics = statistics;
  EXPECT_TRUE(torch::equal(output, QuantizedNetwork::Create(network, plan, few, options).Forward(x)));
  EXPECT_FALSE(torch::equal(output, QuantizedNetwork::Create(network, plan, few).Forward(x)));
}

TEST(ActivationStatistics, OfAnotherModelOrDamagedAreRefused) {
  const Network network = LoadModel("Chain", 2), other = LoadModel("SharedInput");
  const TemporaryFolder folder;
  const auto file = folder / "statistics.json";
  WriteFile(file, ActivationStatistics::Collect(network, Samples({8, 3, 8, 8}), 8).ToJson());
  EXPECT_THAT(MessageOf([&] { ActivationStatistics::Read(file, other); }), HasSubstr("another model's"));
  const auto json = nlohmann::json::parse(std::ifstream(file));
  const auto refused = [&](const std::function<void(nlohmann::json&)>& change) {
    nlohmann::json changed = json;
    change(changed);
    std::ofstream(file) << changed.dump();
    return MessageOf([&] { ActivationStatistics::Read(file, network); });
  };
  EXPECT_EQ(refused([](auto&) {}), "no error");
  EXPECT_THAT(refused([](auto& j) { j["sites"][0]["counts"][0] = -1; }), HasSubstr("counts"));
  EXPECT_THAT(refused([](auto& j) { j["sites"][0]["bins"][0] = 9000; }), HasSubstr("bins"));
  EXPECT_THAT(refused([](auto& j) { j["sites"][0]["radius"] = 3; }), HasSubstr("radius"));
  EXPECT_THAT(refused([](auto& j) { j["sites"][0]["max"] = 1e9; }), HasSubstr("min, max"));
  EXPECT_THAT(refused([](auto& j) { j["sites"][1]["name"] = j["sites"][0]["name"]; }), HasSubstr("named once"));
  EXPECT_THAT(refused([](auto& j) { j["sites"][0].erase("zeros"); }), HasSubstr("zeros"));
  EXPECT_THAT(refused([](auto& j) { j["more"] = 1; }), HasSubstr("more"));
  EXPECT_THAT(refused([](auto& j) { j["schema"] = "bitplan.statistics/9"; }), HasSubstr("bitplan.statistics/1"));
}

}  // namespace
}  // namespace bitplan::quantize
