// Branches, loops and detectors of make_onnx_flows.py against the numbers of ONNX Runtime.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "network/model_case.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

fs::path FlowFolder() { return fs::path(BITPLAN_TEST_DIR) / "network" / "onnx" / "flows"; }

void ForEachFlow(const std::function<void(const fs::path&, const json&)>& check) {
  std::ifstream stream(FlowFolder() / "flows.json");
  const json flows = json::parse(stream);
  ASSERT_GE(flows.size(), 10U);
  for (const auto& [name, flow] : flows.items()) {
    SCOPED_TRACE(name);
    try {
      check(FlowFolder() / (name + ".onnx"), flow);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

std::size_t OutputsOf(const json& flow) { return flow.at("runs")[0].at("outputs").size(); }

Network LoadOutput(const fs::path& file, const json& flow, std::size_t output) {
  NetworkOptions options;
  if (OutputsOf(flow) > 1) options.output = std::to_string(output);
  options.samples_first = false;  // the features of a picture, say, or an output of an iteration a row
  return Network::Load(file, options);
}

TEST(OnnxFlow, GivesTheOutputsOfOnnxRuntimeForSamplesOfAnySize) {
  ForEachFlow([](const fs::path& file, const json& flow) {
    for (std::size_t output = 0; output < OutputsOf(flow); ++output) {
      const Network network = LoadOutput(file, flow, output);
      for (const json& run : flow.at("runs")) {
        const at::Tensor wanted = ToTensor(run.at("outputs")[output]).to(at::kDouble);
        const double largest = std::max(1.0, wanted.abs().max().item<double>());
        EXPECT_LE(MaxDifference(network.Forward({ToTensor(run.at("samples"))}), wanted), 1e-5 * largest)
            << "output " << output;
      }
    }
  });
}

/// Also of those whose weights stand in a branch or loop, or outside of it.
TEST(OnnxFlow, HasTheLayersOfAllItsGraphs) {
  ForEachFlow([](const fs::path& file, const json& flow) {
    std::set<std::string> found;
    for (std::size_t output = 0; output < OutputsOf(flow); ++output)
      for (const Network network = LoadOutput(file, flow, output); const Layer& layer : network.layers())
        found.insert(layer.name);
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(flow.at("layers").get<std::vector<std::string>>()));
  });
}

TEST(OnnxFlow, OfADetectorSaysWhatItIsCutBefore) {
  ForEachFlow([](const fs::path& file, const json& flow) {
    const std::string cut = flow.at("cut");
    const std::vector<std::string> remarks = LoadOutput(file, flow, 0).remarks();
    if (cut.empty())
      EXPECT_THAT(remarks, testing::IsEmpty());
    else
      EXPECT_THAT(remarks, testing::ElementsAre(testing::HasSubstr("cut before " + cut)));
  });
}

}  // namespace
}  // namespace bitplan::test
