#include "training_methods/incremental_weight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

#include "message_of.h"
#include "quantize/learned_grid.h"
#include "training_methods/formats.h"

namespace bitplan::training_methods {
namespace {

using testing::HasSubstr;

Format PowersOfTwo(int bits) {
  Format format = WeightFormat(bits, Granularity::Tensor, NumberType::PowerOfTwo);
  format.scale_type = ScaleType::PowerOfTwo;
  format.calibrator = Calibrator::Max;
  return format;
}

at::Tensor SampleWeight() {
  at::manual_seed(3);
  return 0.2 * torch::randn({8, 4, 3, 3});
}

IncrementalWeight Started(const Format& format, const at::Tensor& w) {
  IncrementalWeight incremental(format, 0);
  incremental.Initialize(w);
  incremental.Finish();
  return incremental;
}

/// By hand: the grid of 3 bits is 0, ±2^{-2}, ±2^{-1}, ±1 for a largest magnitude of 0.9 (2^⌊log2(4 · 0.9 / 3)⌋ = 1).
TEST(IncrementalWeight, PutsTheLargestOnPowersOfTwoFirst) {
  at::Tensor w = torch::tensor({0.9F, -0.1F, 0.3F, -0.6F}).view({2, 2});
  IncrementalWeight incremental = Started(PowersOfTwo(3), w);
  EXPECT_TRUE(torch::equal(incremental(w, true), w));
  incremental.QuantizeLargest(w, 0.5);
  EXPECT_TRUE(torch::equal(incremental(w, true), torch::tensor({1.0F, -0.1F, 0.3F, -0.5F}).view({2, 2})));
  w = torch::tensor({5.0F, -0.4F, 0.3F, 5.0F}).view({2, 2});  // training went on; what is quantized does not count
  incremental.QuantizeLargest(w, 0.75);
  EXPECT_TRUE(torch::equal(incremental(w, true), torch::tensor({1.0F, -0.5F, 0.3F, -0.5F}).view({2, 2})));
  incremental.QuantizeLargest(w, 1);
  EXPECT_TRUE(torch::equal(incremental(w, true), torch::tensor({1.0F, -0.5F, 0.25F, -0.5F}).view({2, 2})));
}

TEST(IncrementalWeight, GradientGoesToTheRestAlone) {
  const at::Tensor w = SampleWeight().requires_grad_();
  IncrementalWeight incremental = Started(PowersOfTwo(4), w.detach());
  incremental.QuantizeLargest(w, 0.75);
  incremental(w, true).sum().backward();
  EXPECT_EQ(w.grad().sum().item<int>(), w.numel() / 4);
  EXPECT_TRUE(torch::equal(w.grad(), incremental.Quantized().logical_not().to(torch::kFloat)));
  const at::Tensor free = w.detach().abs().masked_select(incremental.Quantized().logical_not());
  const at::Tensor fixed = w.detach().abs().masked_select(incremental.Quantized());
  EXPECT_LE(free.max().item<float>(), fixed.min().item<float>());
}

TEST(IncrementalWeight, AtTheEndIsTheWeightOnItsGrid) {
  for (const Format& format : {PowersOfTwo(4), WeightFormat(3, Granularity::Channel),
                               WeightFormat(1, Granularity::Tensor, NumberType::Binary)}) {
    at::Tensor w = SampleWeight();
    IncrementalWeight incremental = Started(format, w);
    for (const double portion : IncrementalSchedule().portions) {
      incremental.QuantizeLargest(w, portion);
      w += 0.05 * torch::randn_like(w);
      incremental.ClipWeight(w);
      EXPECT_TRUE(torch::equal(incremental(w, false), w));
    }
    const auto [kept, grid] = incremental.Grid(w);
    EXPECT_EQ(kept, format);
    EXPECT_TRUE(
        torch::equal(quantize::PutOnLearnedGrid(incremental.Latent(w), format, 0, grid).value, incremental(w, false)));
  }
}

TEST(IncrementalWeight, GoesOnAsAnotherWhoseTensorsWereCopied) {
  const at::Tensor w = SampleWeight();
  IncrementalWeight one = Started(PowersOfTwo(4), w), other = Started(PowersOfTwo(4), 3 * w);
  one.QuantizeLargest(w, 0.5);
  const std::vector<QuantizerTensor> from = one.tensors(), to = other.tensors();
  for (std::size_t i = 0; i < from.size(); ++i) to[i].value.copy_(from[i].value);
  one.QuantizeLargest(w, 0.8);
  other.QuantizeLargest(w, 0.8);
  EXPECT_TRUE(torch::equal(one(w, true), other(w, true)));
}

TEST(IncrementalWeight, RefusesPortionsOutsideTheirRange) {
  const at::Tensor w = SampleWeight();
  IncrementalWeight incremental = Started(PowersOfTwo(4), w);
  for (const double portion : {0.0, -1.0, 1.5, std::nan("")})
    EXPECT_THAT(MessageOf([&] { incremental.QuantizeLargest(w, portion); }), HasSubstr("outside (0, 1]"));
}

TEST(IncrementalSchedule, SharesTheEpochsAlike) {
  const IncrementalSchedule schedule;
  std::vector<double> portions;
  for (int epoch = 0; epoch < 8; ++epoch) portions.push_back(schedule.PortionAt(epoch, 8));
  EXPECT_THAT(portions, testing::ElementsAre(0.5, 0.5, 0.75, 0.75, 0.875, 0.875, 1, 1));
  EXPECT_EQ(schedule.PortionAt(4, 5), 1);
}

TEST(IncrementalSchedule, RefusesPortionsThatDoNotEndAtAll) {
  EXPECT_EQ(MessageOf([] { IncrementalSchedule().Validate(4); }), "no error");
  EXPECT_THAT(MessageOf([] { IncrementalSchedule().Validate(3); }), HasSubstr("epochs: 3"));
  EXPECT_THAT(MessageOf([] { IncrementalSchedule{{0.5, 0.9}}.Validate(9); }), HasSubstr("the last must be 1"));
  EXPECT_THAT(MessageOf([] { IncrementalSchedule{{0.5, 0.4, 1}}.Validate(9); }), HasSubstr("ascending"));
  EXPECT_THAT(MessageOf([] { IncrementalSchedule{{}}.Validate(9); }), HasSubstr("the last must be 1"));
}

}  // namespace
}  // namespace bitplan::training_methods
