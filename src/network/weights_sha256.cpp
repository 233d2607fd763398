#include "network/weights_sha256.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "files/sha256.h"

namespace bitplan::network {

std::string WeightsSha256(const std::vector<Parameter>& parameters) {
  std::vector<const Parameter*> by_name;
  for (const Parameter& parameter : parameters) by_name.push_back(&parameter);
  std::sort(by_name.begin(), by_name.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  files::Sha256 sha256;
  for (const Parameter* const parameter : by_name) {
    const at::Tensor& stored = parameter->value;
    const at::Tensor value =
        stored.detach().to(at::kCPU, stored.is_floating_point() ? at::kFloat : stored.scalar_type()).contiguous();
    sha256.Add(fmt::format("{} {} [{}]\n", parameter->name, c10::toString(value.scalar_type()),
                           fmt::join(value.sizes(), ", ")));
    sha256.Add(value.const_data_ptr(), value.nbytes());
  }
  return sha256.Hex();
}

bool IsMadeFor(const Network& network, const std::string& model_sha256, const std::string& weights_sha256) {
  return weights_sha256.empty() ? model_sha256.empty() || model_sha256 == network.sha256()
                                : weights_sha256 == network.weights_sha256();
}

namespace {

/// "sr=16000", those that `others` has not; a name that only they have: "no sr".
std::string ValuesBeyond(const std::map<std::string, std::string>& values,
                         const std::map<std::string, std::string>& others) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : values)
    if (const auto other = others.find(name); other == others.end() || other->second != value)
      texts.push_back(fmt::format("{}={}", name, value));
  for (const auto& [name, value] : others)
    if (!values.contains(name)) texts.push_back(fmt::format("no {}", name));
  return fmt::format("{}", fmt::join(texts, " "));
}

}  // namespace

std::string OtherInputValues(const Network& network, const std::map<std::string, std::string>& values) {
  if (values == network.input_values()) return "";
  return fmt::format("made with {}, the network was loaded with {}", ValuesBeyond(values, network.input_values()),
                     ValuesBeyond(network.input_values(), values));
}

std::string OtherModel(const Network& network, const std::string& model_sha256, const std::string& weights_sha256) {
  constexpr std::size_t kShown = 12;
  const bool by_weights = !weights_sha256.empty();
  return fmt::format("made for {} with SHA-256 {}…, {} {}…{}", by_weights ? "weights" : "a file",
                     (by_weights ? weights_sha256 : model_sha256).substr(0, kShown),
                     by_weights ? "this model's have" : "this one has",
                     (by_weights ? network.weights_sha256() : network.sha256()).substr(0, kShown),
                     by_weights ? " (of their names, shapes and values)" : "");
}

}  // namespace bitplan::network
