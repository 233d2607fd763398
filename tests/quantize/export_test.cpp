// What is saved is what runs: in LibTorch here, in plain PyTorch by plain_pytorch_test.sh, which reads what this test leaves.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

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
      if (use.input_site >= 0 && !statistics.Has(use.input_site)) plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
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
        for (const at::Tensor& input : inputs) arguments.emplace_back(input.is_floating_point() ? input.to(at::kFloat) : input);
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
