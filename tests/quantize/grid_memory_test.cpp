// What finding the scales of weights takes: the values of a scale, sorted.
#include "quantize/grid_memory.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/memory_limit.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Format Of(Granularity granularity, Calibrator calibrator) {
  Format format = DefaultWeightFormat().WithBits(4);
  format.granularity = granularity;
  format.group_size = format.InGroups() ? 64 : 0;
  format.calibrator = calibrator;
  return format;
}

TEST(GridSearchBytes, GrowWithTheValuesOfAScale) {
  const at::Tensor weight = at::randn({64, 256});
  const auto bytes = [&](Granularity granularity, Calibrator calibrator) {
    return GridSearchBytes(weight, {Of(granularity, calibrator)}, 0);
  };
  EXPECT_GE(bytes(Granularity::Tensor, Calibrator::Mse), 50 * weight.numel());  // sorted values, counts, sums and index
  EXPECT_GE(bytes(Granularity::Tensor, Calibrator::Percentile), 16 * weight.numel());
  EXPECT_EQ(bytes(Granularity::Channel, Calibrator::Mse) * 64,
            bytes(Granularity::Tensor, Calibrator::Mse) * std::min(64, at::get_num_threads()));
  EXPECT_LT(bytes(Granularity::Group, Calibrator::Mse), bytes(Granularity::Channel, Calibrator::Mse));
  EXPECT_EQ(bytes(Granularity::Tensor, Calibrator::Max), 0);
  EXPECT_EQ(GridSearchBytes(weight, {Of(Granularity::Tensor, Calibrator::Max)}, 1), 4 * weight.numel());  // a copy
}

TEST(Quantizing, WithinTooLittleToFindAScaleIsRefusedUnderTheLayersName) {
  const Network network = LoadModel("Links");
  Plan plan = UniformPlan(network, Of(Granularity::Tensor, Calibrator::Mse), DefaultActivationFormat().WithBits(32));
  plan.corrections.output = OutputCorrection::None;
  QuantizeOptions options;
  options.memory_bytes = 1000;
  const auto create = [&] { QuantizedNetwork::Create(network, plan, options); };
  EXPECT_THROW(create(), process::MemoryShort);
  EXPECT_THAT(MessageOf(create), AllOf(HasSubstr("finding the scales of layer '"), HasSubstr("give")));
  for (LayerPlan& layer : plan.layers) layer.weight.calibrator = Calibrator::Max;
  EXPECT_NO_THROW(create());
}

}  // namespace
}  // namespace bitplan::quantize
