#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "files/temporary_folder.h"

namespace bitplan::plan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Configuration Read(const std::string& text, const Configuration& defaults = {}) {
  const TemporaryFolder folder;
  WriteFile(folder / "c.yaml", text);
  return ReadConfiguration(folder / "c.yaml", defaults);
}

std::string Refusal(const std::string& text) {
  try {
    Read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

constexpr const char* kYaml = R"(# by hand
schema: bitplan.configuration/1
weight: {bits: 4, granularity: tensor}
activation:
  bits: 8
  calibrator: percentile
  percentile: 99.9
corrections: {rounding: gptq}
layers:
  - match: first
    weight: {bits: 8}
    activation: {bits: 32}
  - match: "layer3.*"
    weight:
      type: e2m1
      granularity: block
      group_size: 32
      scale_type: power-of-two
)";

constexpr const char* kJson = R"({
  "schema": "bitplan.configuration/1",
  "weight": {"bits": 4, "granularity": "tensor"},
  "activation": {"bits": 8, "calibrator": "percentile", "percentile": 99.9},
  "corrections": {"rounding": "gptq"},
  "layers": [
    {"match": "first", "weight": {"bits": 8}, "activation": {"bits": 32}},
    {"match": "layer3.*", "weight": {"type": "e2m1", "granularity": "block", "group_size": 32, "scale_type": "power-of-two"}}
  ]
})";

TEST(ConfigurationFile, SaysTheSameInYamlAndInJson) {
  for (const char* text : {kYaml, kJson}) {
    const Configuration read = Read(text);
    Format weight = DefaultWeightFormat().WithBits(4), activation = DefaultActivationFormat();
    weight.granularity = Granularity::Tensor;
    activation.calibrator = Calibrator::Percentile;
    activation.percentile = 99.9;
    EXPECT_EQ(read.weight, weight);
    EXPECT_EQ(read.activation, activation);
    EXPECT_EQ(read.corrections.rounding, Rounding::Gptq);
    EXPECT_EQ(read.corrections.output, OutputCorrection::Channel);
    ASSERT_EQ(read.rules.size(), 2U);
    EXPECT_EQ(read.rules[0].layers, "first");
    EXPECT_EQ(read.rules[0].weight, weight.WithBits(8));
    EXPECT_EQ(read.rules[0].activation.type, NumberType::Float32);
    weight.type = NumberType::E2M1;
    weight.granularity = Granularity::Block;
    weight.group_size = 32;
    weight.scale_type = ScaleType::PowerOfTwo;
    EXPECT_EQ(read.rules[1].weight, weight);
    EXPECT_EQ(read.rules[1].activation, activation);
  }
}

TEST(ConfigurationFile, LeavesWhatItDoesNotSayAsItIsGiven) {
  Configuration defaults;
  defaults.weight = defaults.weight.WithBits(3);
  defaults.corrections.output = OutputCorrection::Bias;
  const Configuration read =
      Read("schema: bitplan.configuration/1\nlayers:\n- match: last\n  weight: {scheme: asymmetric}\n", defaults);
  EXPECT_EQ(read.weight, defaults.weight);
  EXPECT_EQ(read.corrections, defaults.corrections);
  EXPECT_EQ(read.rules.at(0).weight.bits, 3);
  EXPECT_EQ(read.rules.at(0).weight.scheme, Scheme::Asymmetric);
}

TEST(ConfigurationFile, LeavesInFloatWhatItGivesNoWidth) {
  const Configuration read = Read(
      "schema: bitplan.configuration/1\n"
      "weight: {scheme: asymmetric}\n"
      "layers:\n"
      "- match: first\n  weight: {bits: 4}\n"
      "- match: second\n  activation: {type: e4m3}\n");
  EXPECT_EQ(read.weight.type, NumberType::Float32);
  EXPECT_EQ(read.activation.type, NumberType::Float32);
  EXPECT_EQ(read.rules.at(0).weight.bits, 4);
  EXPECT_EQ(read.rules.at(0).weight.scheme, Scheme::Asymmetric);
  EXPECT_EQ(read.rules.at(0).activation.type, NumberType::Float32);
  EXPECT_EQ(read.rules.at(1).weight.type, NumberType::Float32);
  EXPECT_EQ(read.rules.at(1).activation.type, NumberType::E4M3);
  EXPECT_EQ(read.rules.at(1).activation.bits, 8);
}

TEST(ConfigurationFile, FollowsAliasesAsFarAsAMemoryGoes) {
  const std::string head = "schema: bitplan.configuration/1\n";
  EXPECT_EQ(
      Read(head + "layers: [{match: a, weight: &four {bits: 4}}, {match: b, weight: *four}]").rules.at(1).weight.bits,
      4);
  std::string laughs = head + "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(Refusal(laughs), AllOf(HasSubstr("more than 1000000 values"), HasSubstr("aliases"), HasSubstr("line")));
  EXPECT_THAT(Refusal(head + "a: &a [*a, *a]\n"), HasSubstr("c.yaml"));  // of itself
}

TEST(ConfigurationFile, TellsTextsInQuotesFromNumbers) {
  EXPECT_EQ(Read("schema: bitplan.configuration/1\nlayers: [{match: \"0\", weight: {bits: 8}}]").rules.at(0).layers,
            "0");
  EXPECT_THAT(Refusal("schema: bitplan.configuration/1\nlayers: [{match: 0}]"), HasSubstr("match"));
  EXPECT_THAT(Refusal("schema: bitplan.configuration/1\nweight: {bits: \"4\"}"), HasSubstr("weight.bits"));
}

TEST(ConfigurationFile, IsRefusedWithTheReason) {
  const std::string head = "schema: bitplan.configuration/1\n";
  EXPECT_THAT(Refusal(""), HasSubstr("schema"));
  EXPECT_THAT(Refusal("schema: bitplan.plan/1"), HasSubstr("bitplan.configuration/1"));
  EXPECT_THAT(Refusal(head + "weight: {bits: 9}"), HasSubstr("weight.bits"));
  EXPECT_THAT(Refusal(head + "weight: {type: nf4, bits: 3}"), HasSubstr("nf4 has 4"));
  EXPECT_THAT(Refusal(head + "weight: {scheme: asymmetric}"), HasSubstr("'weight': expected bits"));
  EXPECT_THAT(Refusal(head + "layers: [{match: a, weight: {type: power-of-two, scale_type: power-of-two}}]"),
              HasSubstr("'layers[0].weight': expected bits"));
  EXPECT_THAT(Refusal(head + "activation: {granularity: channel}"), HasSubstr("one scale a tensor"));
  EXPECT_THAT(Refusal(head + "weights: {bits: 4}"), HasSubstr("weights"));
  EXPECT_THAT(Refusal(head + "layers: [{weight: {bits: 4}}]"), HasSubstr("match"));
  EXPECT_THAT(Refusal(head + "layers: [{match: a, bits: 4}]"), HasSubstr("bits"));
  EXPECT_THAT(Refusal(head + "corrections: {rounding: up}"), HasSubstr("nearest, adaround, gptq"));
  EXPECT_THAT(Refusal(head + "weight: {bits: 4}\nweight: {bits: 8}"), AllOf(HasSubstr("line 3"), HasSubstr("twice")));
  EXPECT_THAT(Refusal(head + "weight: {bits: 4"), AllOf(HasSubstr("not YAML"), HasSubstr("line")));
  std::string deep = head + "weight: ";
  for (int i = 0; i < 200; ++i) deep += "[";
  for (int i = 0; i < 200; ++i) deep += "]";
  EXPECT_THAT(Refusal(deep), HasSubstr("deep"));
  EXPECT_THROW(ReadConfiguration("/nowhere/c.yaml"), Error);
}

}  // namespace
}  // namespace bitplan::plan
