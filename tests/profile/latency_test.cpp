#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "bitplan/error.h"
#include "bitplan/profile.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

const std::vector<int> kWidths = {2, 3, 4, 5, 6, 7, 8, 16, 32};

LatencyOptions Quick() {
  LatencyOptions options;
  options.repeats = 3;
  return options;
}

TEST(MeasureLatency, TimesTheFloatAndTheEightBitKernelOfEveryConvolution) {
  const Network network =
      Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "profile" / "models" / "mobilenet.pt");
  const CostTable table = MeasureLatency(network, {at::randn({1, 3, 64, 64})}, kWidths, kWidths, Quick());
  table.Validate();
  EXPECT_EQ(table.cost, "latency_ms");
  ASSERT_EQ(table.layers.size(), network.layers().size());
  for (std::size_t i = 0; i < table.layers.size(); ++i) {
    SCOPED_TRACE(table.layers[i].name);
    EXPECT_EQ(table.layers[i].name, network.layers()[i].name);
    ASSERT_EQ(table.layers[i].measured.size(), 2U);
    EXPECT_TRUE(table.layers[i].measured.contains("w8a8"));
    EXPECT_TRUE(table.layers[i].measured.contains("w32a32"));
    const auto at = [&](int weight, int activation) { return table.At(i, weight, activation).value(); };
    EXPECT_GT(at(8, 8), 0);
    EXPECT_GT(at(32, 32), 0);
    for (const int a : kWidths)
      for (const int b : kWidths)
        EXPECT_DOUBLE_EQ(at(a, b), std::max(a, b) > 8 ? at(32, 32) : at(8, 8) * std::max(a, b) / 8.0);
  }
}

TEST(MeasureLatency, TellsALargeLayerFromASmallOne) {
  const Network network = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const CostTable table = MeasureLatency(network, {at::randn({1, 3, 256, 256})}, {8, 32}, {8, 32}, Quick());
  const auto linear = network.layers().size() - 1;  // 640 MACs; the convolution before the stages' end has 151 million
  EXPECT_GT(*table.At(1, 32, 32), *table.At(linear, 32, 32));
  EXPECT_GT(*table.At(1, 8, 8), *table.At(linear, 8, 8));
}

TEST(MeasureLatency, CoversEveryModelOrSaysThatNothingCanBeTimed) {
  std::size_t timed = 0;
  ForEachCase([&](const ModelCase& model) {
    NetworkOptions options;
    options.output = model.AnyOutput();
    options.fold_batch_norm = false;  // some of these are there to be refused
    const Network network = model.Load(model.kinds().front(), options);
    try {
      const CostTable table = MeasureLatency(network, model.SampleInputs(), {4, 8, 32}, {8, 32}, Quick());
      table.Validate();
      ASSERT_EQ(table.layers.size(), network.layers().size());
      ++timed;
      for (std::size_t i = 0; i < table.layers.size(); ++i)
        EXPECT_TRUE(table.layers[i].measured.contains("w8a8") || *table.At(i, 8, 8) == *table.At(i, 32, 32))
            << model.name();
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "no layer of this network can be timed on its own") << model.name();
    }
  });
  EXPECT_GT(timed, 30U);
}

TEST(MeasureLatency, RefusesOptionsThatMakeNoSense) {
  const Network network = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const auto measuring = [&](LatencyOptions options) {
    return [&network, options] { MeasureLatency(network, {at::randn({1, 3, 32, 32})}, {8}, {8}, options); };
  };
  EXPECT_THAT(measuring({.repeats = 2, .batch = 1, .progress = {}}),
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("repeats: 2")));
  EXPECT_THAT(measuring({.repeats = 3, .batch = 0, .progress = {}}),
              ::testing::ThrowsMessage<Error>(::testing::HasSubstr("batch: 0")));
}

}  // namespace
}  // namespace bitplan::test
