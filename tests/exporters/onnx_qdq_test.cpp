// Patched ONNX files of tests/network/make_onnx.py's models; onnx_runtime_test.py runs what is kept of them.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
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
    const auto statistics = ActivationStatistics::Collect(network, data, {});
    const Plan plan = MixedPlan(network, statistics);
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
  for (const auto& [name, kinds] : json::parse(list).items()) {
    const ModelCase model(name);
    if (!model.expected().at("batch_first").get<bool>() || IsByName(model.AnyOutput())) continue;
    for (const std::string kind : kinds)
      for (const bool operands : {false, true}) Write(model, kind, operands);
  }
  EXPECT_GE(written_, 150);
  for (const auto& [name, reason] : refused_) std::printf("REFUSED %s: %s\n", name.c_str(), reason.c_str());
}

}  // namespace
}  // namespace bitplan::test
