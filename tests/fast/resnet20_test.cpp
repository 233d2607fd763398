#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "bitplan/evaluate.h"
#include "quantize/networks.h"

namespace bitplan::fast {
namespace {

Dataset Images(const char* file, std::int64_t samples = 0) {
  DataOptions options;
  options.samples = samples;
  return Dataset::Load("cifar10:" + (std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / file).string(), options);
}

class ResNet20OnByteKernels : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(WeightBits, ResNet20OnByteKernels, testing::Values(8, 4));

TEST_P(ResNet20OnByteKernels, AnswersAsTheFakeQuantizedNetworkDoes) {
  const Network network = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, GetParam(), 8), Images("train.bin", 512));
  const FastComparison compared = EvaluateFast(quantized, {}, Images("test.bin"));
  EXPECT_LE(std::abs(compared.fast.correct - compared.fake_quantized.correct), 2);
  EXPECT_NEAR(compared.fast.divergence, compared.fake_quantized.divergence,
              0.02 * compared.fake_quantized.divergence + 1e-4);
  EXPECT_GT(compared.speedup, 0);
}

}  // namespace
}  // namespace bitplan::fast
