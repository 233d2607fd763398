// Patched ONNX files of tests/network/make_onnx.py's models; onnx_runtime_test.py runs what is kept of them.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "bitplan/error.h"
#include "bitplan/export.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "onnx/model.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

fs::path OnnxFile(const std::string& name) {
  return fs::path(BITPLAN_TEST_DIR) / "network/onnx/exports" / (name + ".onnx");
}

json AsLists(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).flatten().contiguous();
  return {{"shape", tensor.sizes().vec()},
          {"values", std::vector<double>(flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel())}};
}

/// Widths in turn, inputs of 8 bits, and operands where there are any.
Plan MixedPlan(const Network& network, const ActivationStatistics& statistics) {
  constexpr std::array kWidths{8, 4, 2, 3};
  Plan plan = UniformPlan(network, 8, 8);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].weight = plan.layers[i].weight.WithBits(kWidths[i % kWidths.size()]);
    if (i % 3 == 2) plan.layers[i].weight.scheme = Scheme::Asymmetric;
    for (const LayerUse& use : network.layers()[i].uses)
      if (use.input_site >= 0 && !statistics.Has(use.input_site))
        plan.layers[i].activation = plan.layers[i].activation.WithBits(32);
  }
  for (int site = 0; site < static_cast<int>(network.sites().size()); ++site)
    if (network.sites()[static_cast<std::size_t>(site)].kind == Site::Kind::Operand && statistics.Has(site))
      plan.operands.push_back({network.sites()[static_cast<std::size_t>(site)].name, DefaultActivationFormat()});
  return plan;
}

/// The codes of weights, in any order, as multisets: axes and gates may have another order in the file.
void ExpectCodes(const QuantizedNetwork& quantized, const fs::path& file) {
  const onnx::Model model = onnx::ReadModel(file, onnx::Operators::Quantized);
  std::multiset<std::vector<std::byte>> stored;
  for (const onnx::Tensor& tensor : model.graph.initializers) {
    if (tensor.name.find("_quantized") == std::string::npos) continue;
    std::vector<std::byte> codes(tensor.bytes.begin(), tensor.bytes.end());
    std::sort(codes.begin(), codes.end());
    stored.insert(codes);
  }
  for (const QuantizedTensor& weight : quantized.weights()) {
    if (!weight.zero_point.defined() || weight.format.bits > 8) continue;
    const std::int64_t half = std::int64_t{1} << (weight.format.bits - 1);
    const bool shifted = weight.format.scheme == Scheme::Asymmetric && weight.zero_point.eq(half).all().item<bool>();
    const at::Tensor q = (shifted ? weight.q.to(at::kInt) - half : weight.q).to(at::kChar).contiguous();
    const auto* const begin = reinterpret_cast<const std::byte*>(q.const_data_ptr());
    std::vector<std::byte> codes(begin, begin + q.numel());
    std::sort(codes.begin(), codes.end());
    EXPECT_TRUE(stored.contains(codes)) << weight.format.bits << " bits";
  }
}

class OnnxQdq : public testing::Test {
 protected:
  fs::path Folder() const {
    const char* const kept = std::getenv("BITPLAN_EXPORT_DIR");  // for onnx_runtime_test.sh
    return kept ? fs::path(kept) : scratch_.path();
  }

  QuantizedNetwork Quantize(const Network& network, const Plan& plan, const ModelCase& model) const {
    return QuantizedNetwork::Create(network, plan, Dataset::FromTensors(model.Inputs(), {}));
  }

  void Keep(const std::string& name, const std::vector<at::Tensor>& inputs, const at::Tensor& output,
            const std::string& selector) const {
    json expected{{"output", AsLists(output)}, {"inputs", json::array()}, {"selector", selector}};
    for (const at::Tensor& input : inputs) expected["inputs"].push_back(AsLists(input));
    std::ofstream(Folder() / (name + ".json")) << expected.dump();
  }

  static Network Load(const ModelCase& model, const std::string& kind, bool operands) {
    NetworkOptions options;
    options.output = model.AnyOutput();
    options.fold_batch_norm = model.expected().at("foldable").get<bool>();
    options.operand_sites = operands;
    return Network::Load(OnnxFile(model.name() + "." + kind), options);
  }

  /// What is refused by name, and why.
  std::map<std::string, std::string> refused_;
  int written_ = 0;

  void Write(const ModelCase& model, const std::string& kind, bool operands) {
    const std::string name = model.name() + "." + kind + (operands ? ".operands" : "");
    SCOPED_TRACE(name);
    const Network network = Load(model, kind, operands);
    if (network.layers().empty()) return;
    const std::vector<at::Tensor> inputs = model.Inputs();
    const Dataset data = Dataset::FromTensors(inputs, {});
    std::optional<ActivationStatistics> statistics;
    try {
      statistics = ActivationStatistics::Collect(network, data, {});
    } catch (const Error&) {
      return;  // it mixes its samples, or is of one number of them
    }
    const Plan plan = MixedPlan(network, *statistics);
    if (operands && plan.operands.empty()) return;
    const QuantizedNetwork quantized = Quantize(network, plan, model);
    const fs::path file = Folder() / (name + ".onnx");
    try {
      Export(quantized, "onnx-qdq", file);
    } catch (const Error& error) {
      refused_[name] = error.what();
      EXPECT_FALSE(fs::exists(file));
      return;
    }
    ++written_;
    ExpectCodes(quantized, file);
    Keep(name, inputs, quantized.Forward(inputs), model.AnyOutput());
  }

  const TemporaryFolder scratch_;
};

bool IsByName(const std::string& selector) { return selector.find_first_not_of("0123456789") != std::string::npos; }

TEST_F(OnnxQdq, WritesTheCodesOfEveryModel) {
  std::ifstream list(fs::path(BITPLAN_TEST_DIR) / "network/onnx/exports/files.json");
  const json files = json::parse(list);
  for (const auto& [name, kinds] : files.items()) {
    const ModelCase model(name);
    if (!model.expected().at("batch_first").get<bool>() || IsByName(model.AnyOutput())) continue;
    for (const std::string kind : kinds)
      for (const bool operands : {false, true}) Write(model, kind, operands);
  }
  EXPECT_GE(written_, 500);
  for (const auto& [name, reason] : refused_) {
    EXPECT_TRUE(name.starts_with("functional_weights")) << name << ": " << reason;
    EXPECT_THAT(reason, HasSubstr("layer 'pair'"));
  }
}

/// The formats that a file can hold, on one network.
TEST_F(OnnxQdq, WritesEveryFormat) {
  const ModelCase model("small_resnet");
  const Network network = Load(model, "traced", false);
  std::map<std::string, std::pair<Format, Format>> formats;
  const auto add = [&](const std::string& name, const std::function<void(Format&, Format&)>& change) {
    auto& [weight, input] = formats[name] = {DefaultWeightFormat(), DefaultActivationFormat()};
    change(weight, input);
  };
  const auto grouped = [](Format& weight, Granularity granularity, int size) {
    weight.granularity = granularity;
    weight.group_size = size;
  };
  add("groups", [&](Format& weight, Format&) {
    weight.bits = 4;
    grouped(weight, Granularity::Block, 9);
  });
  add("blocks", [&](Format& weight, Format&) { grouped(weight, Granularity::Block, 20); });
  add("asymmetric", [&](Format& weight, Format&) {
    weight.scheme = Scheme::Asymmetric;
    weight.bits = 6;
    grouped(weight, Granularity::Block, 18);
  });
  add("tensor", [](Format& weight, Format&) { weight.granularity = Granularity::Tensor; });
  add("sixteen", [](Format& weight, Format& input) { weight.bits = input.bits = 16; });
  add("half", [](Format& weight, Format& input) {
    weight = weight.WithBits(16);
    input = input.WithBits(16);
  });
  add("ternary", [](Format& weight, Format& input) {
    weight.type = NumberType::Ternary;
    weight.bits = 2;
    input = input.WithBits(32);
  });
  add("narrow", [](Format& weight, Format& input) {
    weight.narrow_range = true;
    input.bits = 5;
    input.scheme = Scheme::AutoSigned;
  });
  add("signed", [](Format&, Format& input) { input.scheme = Scheme::Symmetric; });
  for (const auto& [name, both] : formats) {
    SCOPED_TRACE(name);
    const QuantizedNetwork quantized = Quantize(network, UniformPlan(network, both.first, both.second), model);
    Export(quantized, "onnx-qdq", Folder() / ("format_" + name + ".onnx"));
    Keep("format_" + name, model.Inputs(), quantized.Forward(model.Inputs()), "");
  }
}

/// A plan that was applied to the TorchScript file.
TEST_F(OnnxQdq, WritesIntoAnotherFileOfTheNetwork) {
  for (const std::string name : {"small_resnet", "mlp", "own_attention", "lstm", "token_classifier"}) {
    SCOPED_TRACE(name);
    const ModelCase model(name);
    const Network network = model.Load("scripted");
    const Dataset data = Dataset::FromTensors(model.Inputs(), {});
    Plan plan = MixedPlan(network, ActivationStatistics::Collect(network, data, {}));
    plan.operands.clear();
    const QuantizedNetwork quantized = Quantize(network, plan, model);
    Export(quantized, "onnx-qdq", Folder() / ("from_" + name + ".onnx"), {"", OnnxFile(name + ".traced")});
    Keep("from_" + name, model.Inputs(), quantized.Forward(model.Inputs()), "");
  }
  const ModelCase model("small_resnet");
  const Network network = model.Load("scripted");
  const QuantizedNetwork quantized = Quantize(network, UniformPlan(network, 4, 8), model);
  EXPECT_THAT([&] { Export(quantized, "onnx-qdq", Folder() / "refused.onnx"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("no ONNX file"), HasSubstr("--from"))));
  EXPECT_THAT([&] { Export(quantized, "onnx-qdq", Folder() / "refused.onnx", {"", OnnxFile("mlp.traced")}); },
              ThrowsMessage<Error>(HasSubstr("no layer with its weight")));
  EXPECT_FALSE(fs::exists(Folder() / "refused.onnx"));
}

TEST_F(OnnxQdq, RefusesWhatAToolHasNoTypeFor) {
  const ModelCase model("small_resnet");
  const Network network = Load(model, "traced", false);
  const auto refusal = [&](const std::string& flavor, const std::function<void(Format&, Format&)>& change) {
    Format weight = DefaultWeightFormat(), input = DefaultActivationFormat();
    input.scheme = Scheme::Symmetric;
    change(weight, input);
    const QuantizedNetwork quantized = Quantize(network, UniformPlan(network, weight, input), model);
    const fs::path file = Folder() / "refused.onnx";
    const std::string message = MessageOf([&] { Export(quantized, "onnx-qdq", file, {flavor, {}}); });
    EXPECT_EQ(fs::exists(file), message == "no error");
    fs::remove(file);
    return message;
  };
  const std::string first = network.layers().front().name;
  const auto none = [](Format&, Format&) {};
  for (const std::string flavor : {"onnxruntime", "openvino", "tensorrt", "qnn"})
    EXPECT_EQ(refusal(flavor, none), "no error");
  EXPECT_THAT(refusal("tensorrt", [](Format&, Format& input) { input.scheme = Scheme::Asymmetric; }),
              AllOf(HasSubstr("layer " + first), HasSubstr("tensorrt"), HasSubstr("asymmetric integers")));
  EXPECT_THAT(refusal("openvino", [](Format&, Format& input) { input.bits = 16; }), HasSubstr("integers of 16 bits"));
  EXPECT_THAT(refusal("qnn",
                      [](Format& weight, Format&) {
                        weight.granularity = Granularity::Block;
                        weight.group_size = 9;
                      }),
              HasSubstr("a scale a block"));
  EXPECT_THAT(refusal("onnxruntime",
                      [](Format& weight, Format&) {
                        weight.type = NumberType::Nf4;
                        weight.bits = 4;
                      }),
              HasSubstr("nf4 numbers"));
}

}  // namespace
}  // namespace bitplan::test
