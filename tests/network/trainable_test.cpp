// Which parameters training may change, against what PyTorch says of the same files (make_trainable.py).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

std::filesystem::path Folder() { return std::filesystem::path(BITPLAN_TEST_DIR) / "network"; }

nlohmann::json Expected() {
  std::ifstream file(Folder() / "trainable" / "expected.json");
  return nlohmann::json::parse(file);
}

bool IsTrainable(const Network& network, const std::string& name) {
  for (const Parameter& parameter : network.parameters())
    if (parameter.name == name) return parameter.trainable;
  ADD_FAILURE() << "no parameter " << name;
  return false;
}

TEST(Trainable, AreTheParametersThatPyTorchNames) {
  std::size_t compared = 0;
  const nlohmann::json expected = Expected();
  for (const auto& [file, names] : expected.items()) {
    NetworkOptions options;
    options.fold_batch_norm = options.samples_first = false;
    if (file.starts_with("models/")) options.output = ModelCase(file.substr(7, file.find('.') - 7)).AnyOutput();
    const Network network = Network::Load(Folder() / file, options);
    for (const Parameter& parameter : network.parameters()) {
      if (names.contains(parameter.name)) {
        EXPECT_EQ(parameter.trainable, names[parameter.name].get<bool>()) << file << ' ' << parameter.name;
        ++compared;
      } else if (names.empty()) {
        EXPECT_FALSE(parameter.trainable) << file << ' ' << parameter.name;  // frozen: constants
      }
    }
  }
  EXPECT_GE(compared, 700u);
}

TEST(Trainable, AreComputedWeightsThatAParameterHasAPartIn) {
  for (const std::string file : {"scripted.pt", "traced.pt"}) {
    const Network network = Network::Load(Folder() / "trainable" / file);
    EXPECT_TRUE(IsTrainable(network, "masked.weight"));
    EXPECT_FALSE(IsTrainable(network, "tables.weight"));
  }
}

TEST(Trainable, IsTheBiasThatABatchNormIsFoldedInto) {
  const Network network = Network::Load(Folder() / "trainable" / "scripted.pt");
  EXPECT_TRUE(IsTrainable(network, "stem.weight"));
  EXPECT_TRUE(IsTrainable(network, "stem.bias"));
  EXPECT_FALSE(IsTrainable(network, "fixed.weight"));
  EXPECT_TRUE(IsTrainable(network, "fixed.bias"));
}

TEST(Trainable, StaysSoWithOtherValues) {
  const Network network = Network::Load(Folder() / "trainable" / "traced.pt");
  const Network other = network.WithParameters(network.ParameterValues());
  for (std::size_t i = 0; i < network.parameters().size(); ++i)
    EXPECT_EQ(other.parameters()[i].trainable, network.parameters()[i].trainable);
}

}  // namespace
}  // namespace bitplan::test
