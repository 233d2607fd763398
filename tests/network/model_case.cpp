#include "network/model_case.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::test {

namespace {

at::ScalarType TypeOf(const std::string& name) {
  if (name == "int64") return at::kLong;
  if (name == "bool") return at::kBool;
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  return name == "float64" ? at::kDouble : at::kFloat;
}

}  // namespace

std::filesystem::path ModelPath(const std::string& file) {
  return std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "models" / file;
}

ModelCase::ModelCase(std::string name) : name_(std::move(name)) {
  std::ifstream file(ModelPath(name_ + ".json"));
  expected_ = nlohmann::json::parse(file);
}

std::vector<at::Tensor> ModelCase::Inputs() const {
  std::vector<at::Tensor> inputs;
  for (const nlohmann::json& input : expected_.at("inputs")) inputs.push_back(ToTensor(input));
  return inputs;
}

std::vector<at::Tensor> ModelCase::SampleInputs() const {
  std::vector<at::Tensor> inputs = Inputs();
  if (expected_.at("batch_first").get<bool>())
    for (at::Tensor& input : inputs) input = input.narrow(0, 0, 1).clone();
  return inputs;
}

Network ModelCase::Load(const std::string& kind, const NetworkOptions& options) const {
  NetworkOptions of_an_operator = options;
  of_an_operator.samples_first = false;  // alone, whatever its axes are
  return Network::Load(ModelPath(name_ + "." + kind + ".pt"), of_an_operator);
}

Network ModelCase::Load(const std::string& kind, bool fold_batch_norm) const {
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm && expected_.at("foldable").get<bool>();
  options.output = AnyOutput();
  return Load(kind, options);
}

void ForEachCase(const std::function<void(const ModelCase&)>& check) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ModelPath("")))
    if (entry.path().extension() == ".json" && entry.path().stem() != "refused") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  ASSERT_GE(names.size(), 90u);
  for (const std::string& name : names) {
    SCOPED_TRACE("model " + name);
    try {
      check(ModelCase(name));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

at::Tensor ToTensor(const nlohmann::json& tensor) {
  const auto shape = tensor.at("shape").get<std::vector<std::int64_t>>();
  const auto values = tensor.at("values").get<std::vector<double>>();
  return at::tensor(values, at::kDouble).view(shape).to(TypeOf(tensor.at("dtype")));
}

double MaxDifference(const at::Tensor& actual, const at::Tensor& expected) {
  if (!actual.defined() || actual.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  if (actual.numel() == 0) return 0;
  const double difference = (actual.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  return difference >= 0 ? difference : std::numeric_limits<double>::infinity();
}

int LayerIndex(const Network& network, const std::string& name) {
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    if (network.layers()[i].name == name) return static_cast<int>(i);
  return -1;
}

at::Tensor Recorder::First(int site) const {
  for (const Visited& visit : visits_)
    if (visit.site == site) return visit.value;
  return {};
}

bool IsOneLine(const std::string& message) {
  return !message.empty() && message != "no error" && message.size() < 600 && message.find('\n') == std::string::npos &&
         message.find("frame #") == std::string::npos && message.find("Exception raised from") == std::string::npos;
}

}  // namespace bitplan::test
