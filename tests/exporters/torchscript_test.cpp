// What is saved is what runs: in LibTorch here, in plain PyTorch by plain_pytorch_test.sh, which reads what this test
// leaves.

#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

nlohmann::json AsJson(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).flatten().contiguous();
  return {{"shape", tensor.sizes().vec()},
          {"dtype", c10::toString(tensor.scalar_type())},
          {"values", std::vector<double>(flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel())}};
}

/// Every layer's weight at 4 bits and input at 8, where it can be.
QuantizedNetwork Quantized(const Network& network, const Dataset& data) {
  Plan plan = UniformPlan(network, 4, 8);
  const auto statistics = ActivationStatistics::Collect(network, data, 8);
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    for (const LayerUse& use : network.layers()[i].uses)
      if (use.input_site >= 0 && !statistics.Has(use.input_site))
        plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  return QuantizedNetwork::Create(network, plan, data);
}

TEST(Export, GivesTheSameOutputInLibTorchCallAfterCall) {
  const TemporaryFolder scratch;
  const char* const kept = std::getenv("BITPLAN_EXPORT_DIR");  // for plain_pytorch_test.sh
  const std::filesystem::path folder = kept ? kept : scratch.path();
  ForEachCase([&](const ModelCase& model) {
    if (!model.expected().at("batch_first").get<bool>()) return;  // data are batches
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      if (network.layers().empty()) continue;
      const std::vector<at::Tensor> inputs = model.Inputs();
      const QuantizedNetwork quantized = Quantized(network, Dataset::FromTensors(inputs, {}));
      const at::Tensor output = quantized.Forward(inputs);
      const std::string name = model.name() + "." + kind;
      quantized.Save(folder / (name + ".pt"));
      auto module = torch::jit::load((folder / (name + ".pt")).string());
      for (int call = 0; call < 2; ++call) {
        std::vector<c10::IValue> arguments;
        for (const at::Tensor& input : inputs)
          arguments.emplace_back(input.is_floating_point() ? input.to(at::kFloat) : input);
        const c10::IValue result = module.forward(arguments);
        if (!result.isTensor()) return;  // several outputs that only a run tells apart
        EXPECT_TRUE(at::equal(result.toTensor(), output)) << "call " << call;
      }
      nlohmann::json expected{{"output", AsJson(output)}, {"inputs", nlohmann::json::array()}};
      for (const at::Tensor& input : inputs) expected["inputs"].push_back(AsJson(input));
      std::ofstream(folder / (name + ".json")) << expected.dump();
    }
  });
}

TEST(Export, OfANetworkInAnotherTypeIsAllFloat32AndTakesThatTypeToo) {
  const TemporaryFolder scratch;
  for (const std::string name : {"half", "bfloat16", "double", "half_made_tensors"}) {
    const ModelCase model(name);
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(name + " " + kind);
      const std::vector<at::Tensor> inputs = model.Inputs();
      const QuantizedNetwork quantized = Quantized(model.Load(kind), Dataset::FromTensors(inputs, {}));
      quantized.Save(scratch.path() / "quantized.pt");
      auto module = torch::jit::load((scratch.path() / "quantized.pt").string());
      for (const auto& buffer : module.named_buffers())
        EXPECT_TRUE(!buffer.value.is_floating_point() || buffer.value.scalar_type() == at::kFloat) << buffer.name;
      const at::Tensor expected = quantized.Forward(inputs);
      for (const at::ScalarType type : {inputs[0].scalar_type(), at::kFloat}) {
        const at::Tensor output = module.forward({inputs[0].to(type)}).toTensor();
        EXPECT_EQ(output.scalar_type(), at::kFloat);
        EXPECT_LE(MaxDifference(output, expected), 1e-6);
      }
    }
  }
}

/// A plan's formats by a name.
std::map<std::string, std::pair<Format, Format>> KindsOfFormats() {
  std::map<std::string, std::pair<Format, Format>> kinds;
  const auto add = [&](const std::string& name, NumberType type, int bits, Granularity granularity, int group,
                       ScaleType scales, NumberType input) {
    Format weight = DefaultWeightFormat(), activation = DefaultActivationFormat();
    weight.type = type;
    weight.bits = bits;
    weight.granularity = granularity;
    weight.group_size = group;
    weight.scale_type = scales;
    activation.type = input;
    if (input == NumberType::E2M1) activation.bits = 4;
    if (input == NumberType::BFloat16) activation.bits = 16;
    if (input == NumberType::PowerOfTwo) activation.scale_type = ScaleType::PowerOfTwo;
    kinds[name] = {weight, activation};
  };
  add("fp8", NumberType::E4M3, 8, Granularity::Channel, 0, ScaleType::Float32, NumberType::E4M3);
  add("mxfp4", NumberType::E2M1, 4, Granularity::Block, 32, ScaleType::PowerOfTwo, NumberType::E2M1);
  add("nf4", NumberType::Nf4, 4, Granularity::Block, 64, ScaleType::DoubleQuantized, NumberType::BFloat16);
  add("int16", NumberType::Integer, 16, Granularity::Channel, 0, ScaleType::Float32, NumberType::Integer);
  add("blocks", NumberType::Integer, 4, Granularity::Block, 20, ScaleType::Float32, NumberType::Integer);
  add("binary", NumberType::Binary, 1, Granularity::Channel, 0, ScaleType::Float32, NumberType::E5M2);
  add("ternary", NumberType::Ternary, 2, Granularity::Tensor, 0, ScaleType::Float32, NumberType::Integer);
  add("powers", NumberType::PowerOfTwo, 4, Granularity::Channel, 0, ScaleType::PowerOfTwo, NumberType::PowerOfTwo);
  kinds["asymmetric groups"] = kinds.at("blocks");
  kinds["asymmetric groups"].first.scheme = Scheme::Asymmetric;
  kinds["unsigned"] = kinds.at("int16");
  kinds["unsigned"].first.scheme = kinds["unsigned"].second.scheme = Scheme::Unsigned;
  kinds["auto-signed"] = kinds.at("int16");
  kinds["auto-signed"].second = kinds["auto-signed"].second.WithBits(4);
  kinds["auto-signed"].second.type = NumberType::Integer;
  kinds["auto-signed"].second.scheme = Scheme::AutoSigned;
  return kinds;
}

TEST(Export, GivesTheSameOutputForEveryFormat) {
  const TemporaryFolder scratch;
  const char* const kept = std::getenv("BITPLAN_EXPORT_DIR");
  const std::filesystem::path folder = kept ? kept : scratch.path();
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const std::vector<at::Tensor> inputs = model.Inputs();
  for (const auto& [name, formats] : KindsOfFormats()) {
    SCOPED_TRACE(name);
    const QuantizedNetwork quantized = QuantizedNetwork::Create(
        network, UniformPlan(network, formats.first, formats.second), Dataset::FromTensors(inputs, {}));
    const at::Tensor output = quantized.Forward(inputs);
    EXPECT_FALSE(at::equal(output, network.Forward(inputs)));
    const std::string file = "format " + name;
    quantized.Save(folder / (file + ".pt"));
    EXPECT_TRUE(at::equal(
        torch::jit::load((folder / (file + ".pt")).string()).forward({inputs[0].to(at::kFloat)}).toTensor(), output));
    nlohmann::json expected{{"output", AsJson(output)}, {"inputs", {AsJson(inputs[0])}}};
    std::ofstream(folder / (file + ".json")) << expected.dump();
  }
}

TEST(Export, RefusesRangesThatAreFoundAtRunTime) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  Format dynamic = DefaultActivationFormat();
  dynamic.calibrator = Calibrator::Dynamic;
  const Dataset data = Dataset::FromTensors(model.Inputs(), {});
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, UniformPlan(network, DefaultWeightFormat(), dynamic), data);
  const at::Tensor output = quantized.Forward(model.Inputs()), expected = network.Forward(model.Inputs());
  EXPECT_LT((output - expected).norm().item<double>(), 0.05 * expected.norm().item<double>());
  const TemporaryFolder folder;
  EXPECT_NE(MessageOf([&] { quantized.Save(folder / "dynamic.pt"); }).find("at run time"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "dynamic.pt"));
}

TEST(Export, GivesTheSameBytesEachTime) {
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const QuantizedNetwork quantized = Quantized(network, Dataset::FromTensors(model.Inputs(), {}));
  const TemporaryFolder folder;
  quantized.Save(folder / "first.pt");
  quantized.Save(folder / "second.pt");
  EXPECT_EQ(Contents(folder / "first.pt"), Contents(folder / "second.pt"));
}

}  // namespace
}  // namespace bitplan::test
