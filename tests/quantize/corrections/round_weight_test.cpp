#include "corrections/round_weight.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

using ::testing::HasSubstr;

at::Generator SeededWith(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// The most that tensors take at a moment, beyond what they took at first.
class PeakMeter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    now_ += size;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t now_ = 0, peak_ = 0;
};

struct RoundedCase {
  explicit RoundedCase(const Network& network, const at::Tensor& input, int bits = 4)
      : x(input),
        weight(network.Weight(network.layers()[0])),
        vectors(*InputVectors::Of(*network::LayerProduct::Of(network, 0, 0), weight.sizes(),
                                  network.layers()[0].channel_axis)),
        grid(QuantizeWeight(weight, DefaultWeightFormat().WithBits(bits), network.layers()[0].channel_axis)),
        product(*network::LayerProduct::Of(network, 0, 0)) {}

  QuantizedTensor Round(Rounding rounding, std::int64_t memory_bytes = std::int64_t{1} << 30) const {
    return RoundWeight(rounding, weight, grid, vectors, x, memory_bytes);
  }

  double Error(const at::Tensor& value) const {
    return product(x.to(at::kDouble), (value - weight).to(at::kDouble)).square().sum().item<double>();
  }

  at::Tensor x, weight;
  InputVectors vectors;
  QuantizedTensor grid;
  network::LayerProduct product;
};

/// Inputs that depend on their neighbors, [samples, features].
at::Tensor Dependent(std::int64_t samples, std::int64_t features) {
  const at::Tensor walk = at::randn({samples, features}, SeededWith(1)).cumsum(1);
  return walk / walk.square().mean(0, true).sqrt() + 0.2 * at::randn({samples, features}, SeededWith(2));
}

constexpr std::int64_t kFeatures = 400;  // of the model Wide

TEST(RoundWeight, InBlocksIsWhatItIsAtOnceWhereBlocksAreIndependent) {
  const std::int64_t half = kFeatures / 2;
  const at::Tensor part = Dependent(300, half), none = at::zeros({300, half});
  const RoundedCase wide(LoadModel("Wide"), at::cat({at::cat({part, none}, 1), at::cat({none, part.flip(1)}, 1)}));
  std::int64_t memory_bytes = std::int64_t{1} << 20;
  while (RoundingBlock(Rounding::Gptq, wide.vectors, memory_bytes) < half) memory_bytes += 1 << 12;
  ASSERT_EQ(RoundingBlock(Rounding::Gptq, wide.vectors, memory_bytes), half);
  const QuantizedTensor blocks = wide.Round(Rounding::Gptq, memory_bytes), once = wide.Round(Rounding::Gptq);
  EXPECT_FALSE(at::equal(once.q, wide.grid.q));
  EXPECT_LT(blocks.q.ne(once.q).sum().item<std::int64_t>(), 3);  // ties of rounding errors
  EXPECT_NEAR(wide.Error(blocks.value), wide.Error(once.value), 1e-3 * wide.Error(once.value));
}

TEST(RoundWeight, InBlocksStaysWithinTheMemoryAndBeatsTheNearest) {
  const RoundedCase wide(LoadModel("Wide"), Dependent(600, kFeatures));
  const double nearest = wide.Error(wide.grid.value), once = wide.Error(wide.Round(Rounding::Gptq).value);
  for (const Rounding rounding : {Rounding::Gptq, Rounding::AdaRound}) {
    const std::int64_t least = LeastRoundingBytes(rounding, wide.vectors);
    EXPECT_EQ(RoundingBlock(rounding, wide.vectors, least / 2), 0);
    for (const std::int64_t memory_bytes : {least, 2 * least}) {
      const std::int64_t block = RoundingBlock(rounding, wide.vectors, memory_bytes);
      EXPECT_GE(block, 50);
      EXPECT_LT(block, kFeatures);
      const auto meter = std::make_shared<PeakMeter>();
      QuantizedTensor rounded;
      {
        const c10::DebugInfoGuard metered(c10::DebugInfoKind::PROFILER_STATE, meter);
        rounded = wide.Round(rounding, memory_bytes);
      }
      const std::int64_t of_result = 16 * wide.weight.numel();  // codes and values of the weight
      EXPECT_LT(meter->peak(), memory_bytes + of_result) << ToString(rounding) << " " << block;
      EXPECT_LT(wide.Error(rounded.value), 0.7 * nearest) << ToString(rounding) << " " << block;
      if (rounding == Rounding::Gptq) {
        EXPECT_GT(wide.Error(rounded.value), 0.99 * once);
      }
    }
  }
}

TEST(RoundWeight, OfTransposedConvolutionsBeatsTheNearest) {
  for (int output = 0; output < 5; ++output) {
    const std::vector<std::int64_t> shape = output < 2   ? std::vector<std::int64_t>{12, 4, 9}
                                            : output < 4 ? std::vector<std::int64_t>{6, 4, 7, 6}
                                                         : std::vector<std::int64_t>{4, 4, 5, 4, 3};
    const Network network = LoadModel("Transposed" + std::to_string(output));
    const RoundedCase layer(network, at::randn(shape, SeededWith(3)).cumsum(-1) + 0.3, 3);
    const double nearest = layer.Error(layer.grid.value);
    for (const Rounding rounding : {Rounding::Gptq, Rounding::AdaRound})
      EXPECT_LT(layer.Error(layer.Round(rounding).value), 0.9 * nearest) << output << " " << ToString(rounding);
  }
}

/// All ways to round up or down, of a transposed convolution with 2 · 3 weights a channel.
TEST(RoundWeight, OfATransposedConvolutionIsNearTheBestOfAllWays) {
  const RoundedCase layer(LoadModel("TransposedSmall"), at::randn({20, 2, 6}, SeededWith(4)) + 0.8, 4);
  const at::Tensor low = (layer.weight / layer.grid.scale.view({1, -1, 1})).floor();
  double best = 0;
  for (std::int64_t channel = 0; channel < layer.weight.size(1); ++channel) {
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t ways = 0; ways < 64; ++ways) {
      const at::Tensor up = at::__and__(at::__rshift__(at::full({6}, ways, at::kLong), at::arange(6)), 1).view({2, 3});
      at::Tensor value = layer.weight.clone();  // other channels without an error
      value.select(1, channel).copy_((low.select(1, channel) + up).clamp(-8, 7) * layer.grid.scale[channel]);
      least = std::min(least, layer.Error(value));
    }
    best += least;
  }
  EXPECT_GE(layer.Error(layer.Round(Rounding::AdaRound).value), best * (1 - 1e-6));
  EXPECT_LE(layer.Error(layer.Round(Rounding::AdaRound).value), 1.5 * best);
  EXPECT_LE(layer.Error(layer.Round(Rounding::Gptq).value), 2 * best);
}

TEST(RoundWeight, OfWhatIsAlwaysZeroOrNeverReachedIsTheNearest) {
  const Network network = LoadModel("Wide");
  for (const at::Tensor& x : {at::zeros({5, kFeatures}), at::zeros({0, kFeatures})})
    for (const Rounding rounding : {Rounding::Gptq, Rounding::AdaRound}) {
      const RoundedCase wide(network, x);
      EXPECT_TRUE(at::equal(wide.Round(rounding).q, wide.grid.q));
    }
}

TEST(RoundWeight, OfHugeAndTinyInputsIsThatOfOrdinaryOnes) {
  const Network network = LoadModel("Wide");
  const at::Tensor x = Dependent(100, kFeatures);
  const RoundedCase ordinary(network, x);
  for (const double factor : {0x1p100, 0x1p-70})
    EXPECT_LT(
        RoundedCase(network, x * factor).Round(Rounding::Gptq).q.ne(ordinary.Round(Rounding::Gptq).q).sum().item<int>(),
        3);
  const RoundedCase saturated(network, at::full({4, kFeatures}, 3e38));
  for (const Rounding rounding : {Rounding::Gptq, Rounding::AdaRound})
    EXPECT_TRUE(saturated.Round(rounding).value.isfinite().all().item<bool>());
  const RoundedCase infinite(network, at::full({4, kFeatures}, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(MessageOf([&] { infinite.Round(Rounding::Gptq); }), HasSubstr("not finite"));
}

TEST(RoundWeight, IsRefusedBeforehandWhereTheMemoryIsTooLittle) {
  const Network network = LoadModel("Wide");
  Plan plan = UniformPlan(network, 4, 32);
  plan.corrections.rounding = Rounding::Gptq;
  QuantizeOptions options;
  const Dataset data = Dataset::FromTensors({Dependent(50, kFeatures)}, {});
  options.memory_bytes = 10000;
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, plan, data, options); }),
              ::testing::AllOf(HasSubstr("'layer'"), HasSubstr("400 values"), HasSubstr("--memory")));
  options.memory_bytes = 4 << 20;
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data, options);
  EXPECT_GT(quantized.roundings()[0].input_blocks, 1);
  EXPECT_EQ(QuantizedNetwork::Create(network, plan, data).roundings()[0].input_blocks, 1);
}

}  // namespace
}  // namespace bitplan::quantize
