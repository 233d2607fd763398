// Budgets on every cost, from the analysis to the file on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class CostOptions : public ::testing::Test {
 protected:
  void SetUp() override {
    const ToolRun run = work.Run(
        "analyze resnet20.pt --data cifar10:train.bin --samples 2 --measures relative-error --weight-bits 2,4,8 "
        "--activation-bits 4,8 "
        "--out sensitivity.json");
    ASSERT_EQ(run.code, 0) << run.err;
  }
  ToolRun Search(const std::string& options) const {
    return work.Run("search sensitivity.json --measure relative-error --out plan.json " + options);
  }
  json Plan() const { return json::parse(work.Read("plan.json")); }

  const Workspace work;
};

TEST_F(CostOptions, KeepEveryBudgetAndTheFileIsAsLargeAsPlanned) {
  const ToolRun run =
      Search("--budget file_size=12% --budget activation_memory=200KiB --budget energy=15% --budget macs=41M");
  ASSERT_EQ(run.code, 0) << run.err;
  const json plan = Plan();
  std::vector<std::string> costs;
  for (const auto& [cost, value] : plan["costs"].items()) costs.push_back(cost);
  EXPECT_THAT(costs, testing::ElementsAre("activation_memory_bytes", "average_bits", "bops", "energy_uj",
                                          "file_size_bytes", "macs", "weight_size_bytes"));
  EXPECT_EQ(plan["budgets"].size(), 4U);
  for (const auto& [cost, most] : plan["budgets"].items())
    EXPECT_LE(plan["costs"][cost].get<double>(), most.get<double>() * (1 + 1e-9)) << cost;
  EXPECT_EQ(plan["costs"]["macs"], 40551040);
  EXPECT_NEAR(plan["budgets"]["activation_memory_bytes"].get<double>(), 200 * 1024, 0);

  const ToolRun quantize = work.Run("quantize resnet20.pt plan.json --packed packed.safetensors --json -");
  ASSERT_EQ(quantize.code, 0) << quantize.err;
  EXPECT_EQ(json::parse(quantize.out)["packed_size_bytes"], plan["costs"]["file_size_bytes"]);
  EXPECT_EQ(work.Read("packed.safetensors").size(), plan["costs"]["file_size_bytes"].get<std::size_t>());
  EXPECT_FALSE(std::filesystem::exists(work / "quantized.pt"));
}

TEST_F(CostOptions, TakeTablesOfADevice) {
  const ToolRun profile = work.Run("profile resnet20.pt --input 3,32,32 --on nvidia-t4 --out costs.json");
  ASSERT_EQ(profile.code, 0) << profile.err;
  EXPECT_THAT(profile.out, HasSubstr("layer3.2.conv2"));
  EXPECT_THAT(profile.out, HasSubstr("NVIDIA T4"));
  const ToolRun run = Search("--costs costs.json --budget latency=95%");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_LE(Plan()["costs"]["latency_ms"].get<double>(), Plan()["budgets"]["latency_ms"].get<double>() * (1 + 1e-9));
  work.Write("short.csv", "layer,weight_bits,activation_bits,latency_ms\nconv1,2,8,1\n");
  const ToolRun missing = Search("--costs short.csv");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("short.csv"));
  EXPECT_THAT(missing.err, HasSubstr("layer1.0.conv1"));
}

TEST_F(CostOptions, MeasuredHereListTheirSpread) {
  const ToolRun profile = work.Run("profile resnet20.pt --input 3,32,32 --repeats 3 --out costs.json");
  ASSERT_EQ(profile.code, 0) << profile.err;
  const json latency = json::parse(work.Read("costs.json"))["tables"][0];
  EXPECT_EQ(latency["cost"], "latency_ms");
  for (const json& layer : latency["layers"]) EXPECT_TRUE(layer["measured"].contains("w8a8")) << layer["name"];
  EXPECT_EQ(Search("--costs costs.json --budget latency=1000").code, 0);
}

TEST_F(CostOptions, SayWhatIsWrong) {
  const auto refused = [&](const std::string& options, const std::string& message) {
    const ToolRun run = Search(options);
    EXPECT_EQ(run.code, 2) << options;
    EXPECT_THAT(run.err, HasSubstr(message));
  };
  refused("--budget joules=5", "there is no such cost; there are activation_memory_bytes, average_bits");
  refused("--budget latency=5ms", "there is no such cost");
  refused("--costs none.json", "none.json");
  refused("--costs plan.npy", "COST=FILE.npy");
  refused("--costs latency_cycles='" BITPLAN_TEST_DIR "/plan/haq_mobilenetv2_latency.npy'", "[53, 8, 8]");
  work.Write("table.csv", "layer,weight_bits,activation_bits,latency_ms\nconv1,2,8,-1\n");
  refused("--costs table.csv", "-1");
  EXPECT_EQ(work.Run("profile resnet20.pt --input 3,32,32 --on toaster --out c.json").code, 2);
  EXPECT_EQ(work.Run("profile resnet20.pt --input 3,32,32 --repeats 1 --out c.json").code, 2);
  const ToolRun no_plan = Search("--budget activation_memory=10KiB");
  EXPECT_EQ(no_plan.code, 3);
  EXPECT_THAT(no_plan.err, HasSubstr("activation_memory_bytes@add"));
}

}  // namespace
}  // namespace bitplan::test
