// What networks lose at a target's default widths.
#include <gtest/gtest.h>

#include "bitplan/evaluate.h"
#include "bitplan/quantize.h"
#include "target/models.h"

namespace bitplan::test {
namespace {

Dataset Images(const char* file, std::int64_t samples = 0) {
  DataOptions options;
  options.samples = samples;
  return Dataset::Load("cifar10:" + Cifar10(file).string(), options);
}

class SixTargets : public ::testing::TestWithParam<const char*> {};

TEST_P(SixTargets, LoseAtMostThreeImagesOfResNet20) {
  const Network network = ResNet20();
  const Plan plan = MakeTargetPlan(network, ReadTarget(GetParam()));
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, Images("train.bin", 512));
  const Evaluation evaluation = Evaluate(network, {quantized}, Images("test.bin"))[1];
  RecordProperty("correct", std::to_string(evaluation.correct));
  EXPECT_GE(evaluation.correct, 932 - 3);
}

INSTANTIATE_TEST_SUITE_P(Shipped, SixTargets,
                         ::testing::Values("academic", "tensorrt", "fbgemm", "tvm", "acl", "snpe"));

class Patterns : public ::testing::TestWithParam<const char*> {};

TEST_P(Patterns, KeepAnEncodersOutput) {
  for (const char* kind : {"scripted", "traced"}) {
    const Network network = Bert(kind);
    const Plan plan = MakeTargetPlan(network, ReadTarget(GetParam()));
    const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, Sentences(128, 1));
    const std::vector<at::Tensor> inputs = Sentences(64, 2).Get(0, 64).inputs;
    const at::Tensor similarity = at::cosine_similarity(network.Forward(inputs), quantized.Forward(inputs), -1);
    RecordProperty(std::string("least_") + kind, std::to_string(similarity.min().item<double>()));
    EXPECT_GE(similarity.mean().item<double>(), 0.99) << kind;
    EXPECT_LT(similarity.min().item<double>(), 1) << kind;  // it is quantized
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, Patterns, ::testing::Values("demobert", "demobert-residual", "fastertransformer"));

}  // namespace
}  // namespace bitplan::test
