// Grids that training left are used as they are, wherever a plan goes.

#include "quantize/learned_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include "files/temporary_folder.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {
namespace {

using testing::HasSubstr;

template <typename Number>
std::vector<Number> Numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(c10::CppTypeToScalarType<Number>::value).flatten().contiguous();
  return {flat.const_data_ptr<Number>(), flat.const_data_ptr<Number>() + flat.numel()};
}

LearnedGrid GridOf(const QuantizedTensor& weight) {
  LearnedGrid grid{Numbers<double>(weight.scale), {}, {}, {}};
  if (weight.format.HasZeroPoint()) grid.zero_points = Numbers<std::int64_t>(weight.zero_point);
  if (weight.threshold.defined()) grid.thresholds = Numbers<double>(weight.threshold);
  return grid;
}

Format Blocks(int size) {
  Format format = DefaultWeightFormat().WithBits(4);
  format.granularity = Granularity::Block;
  format.group_size = size;
  return format;
}

Format Asymmetric() {
  Format format = DefaultWeightFormat().WithBits(3);
  format.scheme = Scheme::Asymmetric;
  return format;
}

Format Ternary() {
  Format format = DefaultWeightFormat().WithBits(2);
  format.type = NumberType::Ternary;
  return format;
}

class LearnedGrids : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Formats, LearnedGrids,
                         testing::Values(DefaultWeightFormat(), Asymmetric(), Blocks(5), Ternary()));

TEST_P(LearnedGrids, OfAnotherPlanGiveItsNetworkWithoutCalibration) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({16, 3, 8, 8});
  Plan plan = UniformPlan(network, GetParam(), DefaultActivationFormat().WithBits(4));
  plan.corrections.output = OutputCorrection::None;
  const QuantizedNetwork first = QuantizedNetwork::Create(network, plan, data);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].learned_weight = GridOf(first.weights()[i]);
    const int site = network.layers()[i].uses[0].input_site;
    if (site >= 0) plan.layers[i].learned_input = StateOf(first).inputs.at(site).range;
  }
  const Dataset other = Dataset::FromTensors({at::full({2, 3, 8, 8}, 100.0F)}, {});  // would give other ranges
  const QuantizedNetwork second = QuantizedNetwork::Create(network, plan, Calibration::Collect(network, other, false));
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    EXPECT_TRUE(at::equal(second.weights()[i].q, first.weights()[i].q)) << i;
    EXPECT_TRUE(at::equal(second.weights()[i].value, first.weights()[i].value)) << i;
  }
  EXPECT_TRUE(at::equal(second.Forward(AllInputs(data)), first.Forward(AllInputs(data))));
}

TEST(LearnedGrid, MayHaveAScaleOfItsOwnForMinusOne) {
  const at::Tensor weight = at::tensor({-2.0F, -0.2F, 0.3F, 5.0F, 0.1F, -0.4F}).view({2, 3});
  const LearnedGrid grid{{0.5, 3}, {}, {0.25, 0.1}, {0.75, 4}};
  const QuantizedTensor quantized = PutOnLearnedGrid(weight, Ternary(), 0, grid);
  EXPECT_TRUE(at::equal(quantized.value, at::tensor({-0.75F, 0.0F, 0.5F, 3.0F, 0.0F, -4.0F}).view({2, 3})));
}

TEST(LearnedGrid, OfMinusOneIsMultipliedByGainsToo) {
  const Network network = LoadModel("WithoutBias", 2);
  Plan plan = UniformPlan(network, Ternary(), DefaultActivationFormat().WithBits(32));
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const auto channels =
        static_cast<std::size_t>(network.Weight(network.layers()[i]).size(network.layers()[i].channel_axis));
    plan.layers[i].learned_weight = LearnedGrid{
        std::vector<double>(channels, 0.5), {}, std::vector<double>(channels, 0.01), std::vector<double>(channels, 2)};
  }
  const TemporaryFolder folder;
  const Dataset data = Samples({32, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);  // with the channel correction
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const QuantizedTensor& weight = quantized.weights()[i];
    const at::Tensor values = weight.value.movedim(weight.channel_axis, 0).flatten(1);
    EXPECT_TRUE(at::allclose(values.amin(1), -4 * values.amax(1))) << i;
  }
  quantized.Save(folder / "saved.pt");
  auto module = torch::jit::load((folder / "saved.pt").string());
  const at::Tensor x = AllInputs(data)[0];
  EXPECT_TRUE(at::equal(module.forward({x}).toTensor(), quantized.Forward({x})));
}

TEST(LearnedRange, TakesItsOffsetOffBeforeRounding) {
  Format format = DefaultActivationFormat().WithBits(2);
  format.scheme = Scheme::Unsigned;
  const at::Tensor x = at::tensor({-1.0F, 0.9F, 1.0F, 1.4F, 1.6F, 2.4F, 2.6F, 9.0F});
  const at::Tensor expected = at::tensor({0.0F, 0.0F, 0.0F, 0.0F, 1.0F, 1.0F, 2.0F, 3.0F});
  EXPECT_TRUE(at::equal(FakeQuantize(x, format, {1, 0, 1}), expected));
}

TEST(LearnedRange, WithAnOffsetIsSavedAsItRuns) {
  const Network network = LoadModel("Chain", 2);
  Format format = DefaultActivationFormat().WithBits(4);
  format.scheme = Scheme::Unsigned;
  Plan plan = UniformPlan(network, DefaultWeightFormat(), format);
  for (LayerPlan& layer : plan.layers) layer.learned_input = ActivationRange{0.125, 0, -0.3};
  const TemporaryFolder folder;
  const Dataset data = Samples({8, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
  quantized.Save(folder / "saved.pt");
  auto module = torch::jit::load((folder / "saved.pt").string());
  const at::Tensor x = AllInputs(data)[0];
  EXPECT_TRUE(at::equal(module.forward({x}).toTensor(), quantized.Forward({x})));
  quantized.SavePacked(folder / "packed");
  EXPECT_THAT(Contents(folder / "packed"), HasSubstr(network.sites()[0].name + "/offset"));
}

TEST(LearnedGrid, IsRefusedWhereItIsAnotherFormats) {
  const at::Tensor weight = at::ones({2, 6});
  const auto message = [&](const Format& format, const LearnedGrid& grid) {
    return MessageOf([&] { PutOnLearnedGrid(weight, format, 0, grid); });
  };
  const Format format = DefaultWeightFormat();
  Format power = format, half = format.WithBits(16);
  power.scale_type = ScaleType::PowerOfTwo;
  EXPECT_THAT(message(format, {{1}, {}, {}, {}}), HasSubstr("scales: 1 given, 2 expected"));
  EXPECT_THAT(message(format, {{1, 0}, {}, {}, {}}), HasSubstr("not a positive float32"));
  EXPECT_THAT(message(format, {{1, 1e300}, {}, {}, {}}), HasSubstr("not a positive float32"));
  EXPECT_THAT(message(format, {{1, 1}, {1, 2}, {}, {}}), HasSubstr("zero points: 2 given, 0 expected"));
  EXPECT_THAT(message(Asymmetric(), {{1, 1}, {1, 8}, {}, {}}), HasSubstr("8 is outside the grid 0 … 7"));
  EXPECT_THAT(message(Ternary(), {{1, 1}, {}, {}, {}}), HasSubstr("thresholds: 0 given, 2 expected"));
  EXPECT_THAT(message(format, {{1, 1}, {}, {}, {1, 1}}), HasSubstr("negative scales: 2 given, 0 expected"));
  EXPECT_THAT(message(power, {{1, 3}, {}, {}, {}}), HasSubstr("3 is not a power of two"));
  EXPECT_THAT(message(half, {{1, 1}, {}, {}, {}}), HasSubstr("format with scales"));
}

TEST(LearnedGrid, IsRefusedInPlansThatContradictIt) {
  const Network network = LoadModel("SharedInput");
  Plan plan = UniformPlan(network, 8, 8);
  plan.layers[0].learned_input = ActivationRange{0.5, 0};
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, Samples({4, 6})); }),
              HasSubstr("two learned ranges"));
  plan.layers[1].learned_input = plan.layers[0].learned_input;
  plan.corrections.rescaling = Rescaling::Equalization;
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, Samples({4, 6})); }),
              HasSubstr("learned without that"));
}

}  // namespace
}  // namespace bitplan::quantize
