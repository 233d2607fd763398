// Every method against its paper's formula in plain PyTorch operators; see make_reference.py.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/quantize.h"
#include "training_methods/formats.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {
namespace {

using nlohmann::json;

at::Tensor Numbers(const json& numbers) { return torch::tensor(numbers.get<std::vector<float>>()); }

at::Tensor Shaped(const json& numbers, const json& each) {
  return Numbers(numbers).view(each.at("shape").get<std::vector<std::int64_t>>());
}

NumberType TypeOf(const std::string& method, int bits) {
  if (bits == 1) return NumberType::Binary;
  return method == "twn" || method == "ttq" ? NumberType::Ternary : NumberType::Integer;
}

std::unique_ptr<TrainedQuantizer> QuantizerOf(const json& each) {
  const std::string method = each.at("method");
  const int bits = each.at("bits");
  if (each.at("kind") == "input") return MakeInputQuantizer(ParseTrainingMethod(method), InputFormat(bits));
  const Format format =
      WeightFormat(bits, ParseGranularity(each.at("granularity").get<std::string>()), TypeOf(method, bits));
  return MakeWeightQuantizer(ParseTrainingMethod(method), format, 0, {});
}

/// Where the case says from what numbers it starts.
void CopyGiven(const json& each, TrainedQuantizer& quantizer) {
  if (!each.value("given", false)) return;
  const at::NoGradGuard no_grad;
  for (const QuantizerTensor& tensor : quantizer.tensors()) {
    if (each.at("learned").contains(tensor.name)) tensor.value.copy_(Numbers(each.at("learned").at(tensor.name)));
    if (tensor.name == "factor") tensor.value.fill_(each.at("factor").get<float>());
  }
}

void ExpectClose(const at::Tensor& actual, const at::Tensor& expected, const char* what) {
  const double largest = std::max(1.0, expected.abs().max().item<double>());
  EXPECT_LT((actual - expected).abs().max().item<double>(), 2e-6 * largest) << what << '\n'
                                                                            << actual << '\n'
                                                                            << expected;
}

struct Case {
  json numbers;

  friend void PrintTo(const Case& each, std::ostream* out) {
    *out << each.numbers.at("method") << ' ' << each.numbers.at("bits") << " bits";
  }
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (json& each : json::parse(std::ifstream(std::string(BITPLAN_TEST_DIR) + "/training_methods/reference.json")))
    cases.push_back({std::move(each)});
  return cases;
}

class Reference : public testing::TestWithParam<Case> {};

std::string NameOfCase(const testing::TestParamInfo<Case>& each) {
  std::string name =
      each.param.numbers.at("method").get<std::string>() + "_" + each.param.numbers.at("kind").get<std::string>();
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_" + std::to_string(each.index);
}

INSTANTIATE_TEST_SUITE_P(Methods, Reference, testing::ValuesIn(Cases()), NameOfCase);

TEST_P(Reference, OutputAndGradientsAreThoseOfPlainPyTorch) {
  const json& each = GetParam().numbers;
  const at::Tensor x = Shaped(each.at("x"), each).requires_grad_();
  const std::unique_ptr<TrainedQuantizer> quantizer = QuantizerOf(each);
  quantizer->Initialize(x.detach());
  quantizer->Finish();
  CopyGiven(each, *quantizer);
  const at::Tensor output = (*quantizer)(x, false);
  ExpectClose(output.detach(), Shaped(each.at("output"), each), "output");
  output.backward(Shaped(each.at("g"), each));
  ExpectClose(x.grad(), Shaped(each.at("x_gradient"), each), "gradient of x");
  std::size_t learned = 0;
  for (const QuantizerTensor& tensor : quantizer->tensors()) {
    ASSERT_EQ(tensor.value.requires_grad(), tensor.learned) << tensor.name;
    if (!tensor.learned) continue;
    ++learned;
    ExpectClose(tensor.value.detach(), Numbers(each.at("learned").at(tensor.name)), tensor.name.c_str());
    ExpectClose(tensor.value.grad(), Numbers(each.at("gradients").at(tensor.name)), tensor.name.c_str());
  }
  EXPECT_EQ(learned, each.at("learned").size());
}

}  // namespace
}  // namespace bitplan::training_methods
