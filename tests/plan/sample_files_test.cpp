#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bitplan/configuration.h"
#include "bitplan/energy.h"
#include "bitplan/plan.h"
#include "bitplan/roofline.h"

namespace bitplan {
namespace {

namespace fs = std::filesystem;

/// Of tests/samples, where files of every version stand that is to be read.
fs::path Sample(const std::string& name) { return fs::path(BITPLAN_TEST_DIR "/samples") / name; }

std::string TextOf(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

TEST(SampleFiles, PlansAreReadAndWrittenAsTheyWere) {
  for (const char* name : {"by_tool/plan-1.json", "by_tool/plan-1-learned.json"})
    EXPECT_EQ(ToJson(ReadPlan(Sample(name))), TextOf(Sample(name))) << name;
}

TEST(SampleFiles, CostsAreReadAndWrittenAsTheyWere) {
  EXPECT_EQ(ToJson(ReadCosts(Sample("by_tool/costs-1.json"))), TextOf(Sample("by_tool/costs-1.json")));
}

TEST(SampleFiles, SensitivitiesAreReadAndWrittenAsTheyWereWithTheirArrays) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bitplan-sample-sensitivity";
  fs::create_directories(folder);
  WriteSensitivity(folder / "sensitivity-1.json", ReadSensitivity(Sample("by_tool/sensitivity-1.json")));
  for (const std::string end : {"json", "contributions.npy", "logits.npy", "shifts.npy"})
    EXPECT_EQ(TextOf(folder / ("sensitivity-1." + end)), TextOf(Sample("by_tool/sensitivity-1." + end))) << end;
  fs::remove_all(folder);
}

TEST(SampleFiles, ProblemsAreReadWithAllThatTheySay) {
  for (const char* name : {"problem-1.json", "problem-1-quadratic.json", "problem-1-logit.json"}) {
    const fs::path file = Sample("by_hand") / name;
    auto said = nlohmann::json::parse(TextOf(file)), read = nlohmann::json::parse(ToJson(ReadProblem(file)));
    said.erase("reference");
    if (std::string(name) == "problem-1-logit.json") {
      EXPECT_EQ(read["joint"]["shifts"].size(), 4U);
      read["joint"]["shifts"] = said["joint"]["shifts"];  // the name of a file
    }
    EXPECT_EQ(read, said) << name;
  }
}

TEST(SampleFiles, DevicesAreRead) {
  const Roofline device = ReadRoofline(Sample("by_hand/roofline-1.json"));
  EXPECT_EQ(device.macs_per_second, (std::map<int, double>{{8, 1e10}, {16, 4e9}, {32, 2e9}}));
  EXPECT_EQ(device.bytes_per_second, 1e9);
  EXPECT_EQ(device.seconds_per_layer, 1e-5);
  const EnergyModel model = ReadEnergyModel(Sample("by_hand/energy-1.json"));
  EXPECT_EQ(model.int8_multiply_pj, 0.1);
  EXPECT_EQ(model.activation_byte_pj, 6);
}

TEST(SampleFiles, ConfigurationsAreRead) {
  const Configuration read = ReadConfiguration(Sample("by_hand/configuration-1.json"), {});
  EXPECT_EQ(read.weight.bits, 4);
  EXPECT_EQ(read.activation.calibrator, Calibrator::Percentile);
  EXPECT_EQ(read.corrections.rounding, Rounding::Gptq);
  ASSERT_EQ(read.rules.size(), 2U);
  EXPECT_EQ(read.rules[1].layers, "layer3.*");
  EXPECT_EQ(read.rules[1].weight.scheme, Scheme::Asymmetric);
}

}  // namespace
}  // namespace bitplan
