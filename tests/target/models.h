#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/target.h"

namespace bitplan::test {

inline Network LoadTapped(const std::filesystem::path& file) {
  NetworkOptions options;
  options.operand_sites = true;
  return Network::Load(file, options);
}

inline std::filesystem::path Cifar10(const std::string& file) {
  return std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / file;
}

inline Network ResNet20() { return LoadTapped(Cifar10("resnet20.pt")); }

/// Of make_models.py: "scripted" or "traced".
inline Network Bert(const std::string& kind = "scripted") {
  return LoadTapped(std::filesystem::path(BITPLAN_TEST_DIR) / "target" / "models" / ("bert." + kind + ".pt"));
}

/// Sentences of random tokens; every third is padded from its ninth on.
inline Dataset Sentences(std::int64_t count, std::uint64_t seed) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor tokens = at::randint(50, {count, 12}, generator, at::kLong);
  at::Tensor mask = at::ones({count, 12}, at::kLong);
  mask.slice(0, 0, count, 3).slice(1, 8).zero_();
  return Dataset::FromTensors({tokens, mask}, {});
}

/// Names of the operand sites that the target quantizes.
inline std::vector<std::string> PlacedOperands(const Network& network, const Target& target) {
  std::vector<std::string> names;
  for (const OperandFormat& operand : TargetOperands(network, target)) names.push_back(operand.name);
  std::sort(names.begin(), names.end());
  return names;
}

/// The tensor that `reader` reads quantized; fails where there is none.
inline const PlacedTensor* TensorRead(const Placement& placement, const std::string& site) {
  for (const PlacedTensor& tensor : placement.tensors)
    if (std::find(tensor.sites.begin(), tensor.sites.end(), site) != tensor.sites.end()) return &tensor;
  return nullptr;
}

inline std::string WhyInFloat(const Placement& placement, const std::string& site) {
  for (const LeftInFloat& left : placement.left_in_float)
    if (left.site == site) return left.reason;
  return "";
}

}  // namespace bitplan::test
