#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "bitplan/plan.h"
#include "bitplan/version.h"

namespace bitplan::plan {
namespace {

using nlohmann::ordered_json;

TEST(EvaluationFile, HasFloatAndWhatElseWasEvaluated) {
  EvaluationReport report;
  report.float_network = {932, 1017, 932.0 / 1017, 0.3, 1, 0};
  auto json = ordered_json::parse(ToJson(report));
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "bitplan.evaluation/1");
  EXPECT_EQ(json["tool_version"], Version());
  EXPECT_FALSE(json.contains("planned"));
  EXPECT_FALSE(json.contains("uniform"));
  EXPECT_EQ(json["float"],
            ordered_json::parse(R"({"correct": 932, "total": 1017, "accuracy": 0.9164208456243854, "loss": 0.3,
                                                   "agreement": 1.0, "divergence": 0.0})"));
  report.planned = report.float_network;
  report.uniform = report.float_network;
  report.uniform->correct = 900;
  report.uniform_bits = LayerBits{"", 4, 8};
  json = ordered_json::parse(ToJson(report));
  EXPECT_EQ(json["planned"]["correct"], 932);
  EXPECT_EQ(json["uniform"]["correct"], 900);
  EXPECT_EQ(json["uniform_bits"], ordered_json::parse(R"({"weight": 4, "activation": 8})"));
}

TEST(EvaluationFile, WithoutLabelsHasNull) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  EvaluationReport report;
  report.float_network = {-1, 10, kNaN, kNaN, 1, 0};
  const auto json = ordered_json::parse(ToJson(report));
  for (const char* key : {"correct", "accuracy", "loss"}) EXPECT_TRUE(json["float"][key].is_null()) << key;
  EXPECT_EQ(json["float"]["agreement"], 1.0);
}

TEST(EvaluationFile, SaysWhatOutputsAreUnlessTheyAreClasses) {
  EvaluationReport report;
  EXPECT_FALSE(ordered_json::parse(ToJson(report))["float"].contains("outputs"));
  report.float_network.outputs = OutputKind::Values;
  EXPECT_EQ(ordered_json::parse(ToJson(report))["float"]["outputs"], "values");
}

}  // namespace
}  // namespace bitplan::plan
