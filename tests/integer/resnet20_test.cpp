#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "bitplan/evaluate.h"
#include "bitplan/integer.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"

namespace bitplan::integer {
namespace {

Dataset Images(const char* file, std::int64_t samples = 0) {
  DataOptions options;
  options.samples = samples;
  return Dataset::Load("cifar10:" + (std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / file).string(), options);
}

class ResNet20OnIntegers : public ::testing::TestWithParam<int> {
 protected:
  const Network network = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, GetParam(), 8), Images("train.bin", 512));
};

/// Puts the integer network's codes in the place of what the fake-quantized one computes, so that each site is compared
/// on equal inputs.
class Follower : public Probe {
 public:
  Follower(const QuantizedState& state, std::vector<std::pair<int, at::Tensor>> codes)
      : state_(state), probe_(state), codes_(std::move(codes)) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    const at::Tensor result = probe_.Visit(site, value);
    const auto input = state_.inputs.find(site);
    if (input == state_.inputs.end()) return result;
    const ActivationRange& range = input->second.range;
    const at::Tensor own = (result / range.scale).round() + static_cast<double>(range.zero_point);
    const auto& [expected_site, codes] = codes_.at(next_++);
    EXPECT_EQ(site, expected_site);
    const at::Tensor difference = (own - codes).abs();
    EXPECT_LE(difference.max().item<double>(), 1) << "site " << site;
    differing += difference.gt(0).sum().item<std::int64_t>();
    compared += difference.numel();
    return ((codes - range.zero_point).to(at::kFloat) * range.scale).to(at::kFloat);
  }
  std::int64_t differing = 0, compared = 0;

 private:
  const QuantizedState& state_;
  quantize::QuantizingProbe probe_;
  std::vector<std::pair<int, at::Tensor>> codes_;
  std::size_t next_ = 0;
};

TEST_P(ResNet20OnIntegers, EveryLayersInputIsOneStepAwayAtMost) {
  const IntegerNetwork integer = IntegerNetwork::Create(quantized);
  EXPECT_TRUE(integer.in_float().empty());
  const auto inputs = Images("test.bin", 128).Get(0, 128).inputs;
  Follower follower(quantize::StateOf(quantized), integer.InputCodes(inputs));
  network.Forward(inputs, quantize::StateOf(quantized).parameters, &follower);
  EXPECT_GT(follower.compared, 0);
  EXPECT_LT(static_cast<double>(follower.differing), 1e-2 * static_cast<double>(follower.compared));
}

TEST_P(ResNet20OnIntegers, AccuracyIsThatOfTheFakeQuantizedNetwork) {
  const IntegerNetwork integer = IntegerNetwork::Create(quantized);
  const auto fake = [&](const std::vector<at::Tensor>& inputs) { return quantized.Forward(inputs); };
  const auto exact = [&](const std::vector<at::Tensor>& inputs) { return integer.Forward(inputs); };
  const auto results = EvaluateFunctions(network, {fake, exact}, Images("test.bin"));
  EXPECT_LE(std::abs(results[1].correct - results[2].correct), 2);
  EXPECT_EQ(results[2].total, 1017);
}

INSTANTIATE_TEST_SUITE_P(Widths, ResNet20OnIntegers, ::testing::Values(8, 4));

}  // namespace
}  // namespace bitplan::integer
