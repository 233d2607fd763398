// Plans that quantize what operators without a weight read.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <filesystem>

#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Network SmallResNet(bool operand_sites = true) {
  NetworkOptions options;
  options.operand_sites = operand_sites;
  return Network::Load(ModelPath("small_resnet.scripted.pt"), options);
}

Format EightBits(Scheme scheme = Scheme::Asymmetric) {
  Format format = DefaultActivationFormat();
  format.scheme = scheme;
  return format;
}

int SiteOf(const Network& network, const std::string& name) {
  for (std::size_t i = 0; i < network.sites().size(); ++i)
    if (network.sites()[i].name == name) return static_cast<int>(i);
  return -1;
}

/// All operands of a network at 8 bits, and nothing else.
Plan OperandsAlone(const Network& network, Scheme scheme = Scheme::Asymmetric) {
  Plan plan = UniformPlan(network, 32, 32);
  plan.corrections.output = OutputCorrection::None;
  for (const Site& site : network.sites())
    if (site.kind == Site::Kind::Operand) plan.operands.push_back({site.name, EightBits(scheme)});
  return plan;
}

/// What LibTorch's own fake quantization makes of the operands, whose ranges are those of the statistics.
class ByHand : public Probe {
 public:
  ByHand(const Network& network, const ActivationStatistics& statistics) : network_(network), statistics_(statistics) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (network_.sites()[static_cast<std::size_t>(site)].kind != Site::Kind::Operand) return value;
    const ActivationRange range = statistics_.Range(site, EightBits());
    return at::fake_quantize_per_tensor_affine(value, range.scale, range.zero_point, 0, 255);
  }

 private:
  const Network& network_;
  const ActivationStatistics& statistics_;
};

class Operands : public ::testing::Test {
 protected:
  std::string Message(const Plan& plan, const Network& of) const {
    return MessageOf([&] { QuantizedNetwork::Create(of, plan, data); });
  }

  const Network network = SmallResNet();
  const ModelCase model = ModelCase("small_resnet");
  const Dataset data = Dataset::FromTensors(model.Inputs(), {});
};

TEST_F(Operands, AreFakeQuantizedInTheRangesThatStatisticsHave) {
  const Plan plan = OperandsAlone(network);
  ASSERT_GE(plan.operands.size(), 3U);
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
  const ActivationStatistics statistics = ActivationStatistics::Collect(network, data, 128);
  ByHand by_hand(network, statistics);
  const at::Tensor expected = network.Forward(model.Inputs(), network.ParameterValues(), &by_hand);
  EXPECT_TRUE(at::equal(quantized.Forward(model.Inputs()), expected));
  EXPECT_FALSE(at::equal(expected, network.Forward(model.Inputs())));
}

TEST_F(Operands, AreInTheSavedFile) {
  const TemporaryFolder folder;
  Plan plan = OperandsAlone(network);
  for (LayerPlan& layer : plan.layers) layer.weight = DefaultWeightFormat();
  plan.corrections.output = OutputCorrection::Channel;
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
  quantized.Save(folder / "quantized.pt");
  torch::jit::Module module = torch::jit::load((folder / "quantized.pt").string());
  std::vector<c10::IValue> inputs;
  for (const at::Tensor& input : model.Inputs()) inputs.emplace_back(input);
  EXPECT_LT(MaxDifference(module.forward(inputs).toTensor(), quantized.Forward(model.Inputs())), 1e-6);
}

TEST_F(Operands, HaveTheirRangesInThePackedFileWhoseSizeIsKnown) {
  const TemporaryFolder folder;
  for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric}) {
    const Plan plan = OperandsAlone(network, scheme);
    QuantizedNetwork::Create(network, plan, data).SavePacked(folder / "packed.safetensors");
    const CostTable table =
        FileSize(network, DefaultWeightFormat(), DefaultActivationFormat(), false, {32}, {32}, plan.operands);
    double size = table.fixed;
    for (std::size_t i = 0; i < plan.layers.size(); ++i) size += table.At(i, 32, 32).value();
    EXPECT_EQ(size, static_cast<double>(std::filesystem::file_size(folder / "packed.safetensors")));
    EXPECT_THAT(Contents(folder / "packed.safetensors"), HasSubstr("\"add_0.0/scale\""));
  }
}

TEST_F(Operands, AreInStatisticsFiles) {
  const TemporaryFolder folder;
  const ActivationStatistics collected = ActivationStatistics::Collect(network, data, 128);
  WriteFile(folder / "statistics.json", collected.ToJson());
  const int site = SiteOf(network, "add_0.1");
  ASSERT_GE(site, 0);
  EXPECT_EQ(ActivationStatistics::Read(folder / "statistics.json", network).Extremes(site), collected.Extremes(site));
  EXPECT_THAT(MessageOf([&] { ActivationStatistics::Read(folder / "statistics.json", SmallResNet(false)); }),
              HasSubstr("an operand where it was loaded with their sites"));
  WriteFile(folder / "inputs.json", ActivationStatistics::Collect(SmallResNet(false), data, 128).ToJson());
  QuantizeOptions options;
  options.statistics = ActivationStatistics::Read(folder / "inputs.json", network);
  EXPECT_THAT(MessageOf([&] { QuantizedNetwork::Create(network, OperandsAlone(network), data, options); }),
              HasSubstr("add_0.0 was not reached"));
}

TEST_F(Operands, ThatTheNetworkHasNotAreRefused) {
  EXPECT_THAT(Message(OperandsAlone(network), SmallResNet(false)), HasSubstr("operand_sites"));
  Plan plan = OperandsAlone(network);
  plan.operands[0].name = "add_77.0";
  EXPECT_THAT(Message(plan, network), HasSubstr("no operand 'add_77.0'"));
  plan.operands[0].name = network.sites()[0].name;  // a layer's input
  EXPECT_THAT(Message(plan, network), HasSubstr("no operand"));
  plan = OperandsAlone(network);
  plan.operands[1].format.granularity = Granularity::Channel;
  EXPECT_THAT(Message(plan, network), AllOf(HasSubstr("operand '" + plan.operands[1].name), HasSubstr("channel")));
  plan.operands[1].format = EightBits().WithBits(32);
  EXPECT_THAT(Message(plan, network), HasSubstr("leave it out"));
}

}  // namespace
}  // namespace bitplan::test
