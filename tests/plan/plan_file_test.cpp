#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

using nlohmann::ordered_json;

TEST(PlanFile, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const Plan written = FullPlan();
  WriteFile(folder / "plan.json", ToJson(written));
  const Plan read = ReadPlan(folder / "plan.json");
  EXPECT_EQ(read.tool_version, written.tool_version);
  EXPECT_EQ(read.model_sha256, written.model_sha256);
  EXPECT_EQ(read.data, written.data);
  EXPECT_EQ(read.seed, written.seed);
  EXPECT_EQ(read.fold_batch_norm, written.fold_batch_norm);
  EXPECT_EQ(read.corrections, written.corrections);
  EXPECT_EQ(read.measure, written.measure);
  ASSERT_EQ(read.layers.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.layers[i].name, written.layers[i].name);
    EXPECT_EQ(read.layers[i].weight, written.layers[i].weight);
    EXPECT_EQ(read.layers[i].activation, written.layers[i].activation);
  }
  EXPECT_EQ(read.predicted_loss, written.predicted_loss);
  ASSERT_TRUE(read.measured.has_value());
  EXPECT_EQ(read.measured->correct, 924);
  EXPECT_EQ(read.measured->total, 1017);
  EXPECT_EQ(read.measured->accuracy, written.measured->accuracy);
  EXPECT_EQ(read.measured->loss, written.measured->loss);
  EXPECT_EQ(read.measured->agreement, written.measured->agreement);
  EXPECT_EQ(read.measured->divergence, written.measured->divergence);
  EXPECT_EQ(read.costs, written.costs);
  EXPECT_EQ(read.budgets, written.budgets);
  EXPECT_EQ(read.certificate.method, "exact");
  EXPECT_EQ(read.certificate.status, SolutionStatus::Optimal);
  EXPECT_EQ(read.certificate.objective, written.certificate.objective);
  EXPECT_EQ(read.certificate.bound, written.certificate.bound);
  EXPECT_EQ(read.certificate.gap, 0);
  ASSERT_TRUE(read.stability.has_value());
  EXPECT_EQ(read.stability->resamples, 100);
  EXPECT_EQ(read.stability->best, 0.37);
  EXPECT_EQ(read.stability->regret, 0.008);
  EXPECT_EQ(read.stability->proven, 0.9);
  EXPECT_EQ(read.stability->kept, written.stability->kept);
  EXPECT_EQ(ToJson(read), ToJson(written));
}

TEST(PlanFile, HasIgnoredLabelsOnlyWhereThereAreSome) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  EXPECT_FALSE(ordered_json::parse(ToJson(plan))["data"].contains("ignored_labels"));
  EXPECT_TRUE(ReadPlan(folder.Put("plan.json", ToJson(plan))).data.ignored_labels.empty());
  plan.data.ignored_labels = {255, -1, std::numeric_limits<std::int64_t>::max()};
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  EXPECT_EQ(read.data, plan.data);
  EXPECT_EQ(ToJson(read), ToJson(plan));
  for (const char* wrong : {"255", "[255.0]", "[\"255\"]", "[18446744073709551615]"}) {
    nlohmann::json json = nlohmann::json::parse(ToJson(plan));
    json["data"]["ignored_labels"] = nlohmann::json::parse(wrong);
    EXPECT_THAT([&] { ReadPlan(folder.Put("plan.json", json.dump())); },
                OneLineError("plan.json", "data.ignored_labels", "a list of integers"))
        << wrong;
  }
}

TEST(PlanFile, HasTheContextAndThePerplexityOfTokens) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  EXPECT_FALSE(ordered_json::parse(ToJson(plan))["data"].contains("context"));
  plan.data.context = 128;
  plan.measured = Evaluation();
  EXPECT_FALSE(ordered_json::parse(ToJson(plan))["measured"].contains("perplexity"));
  plan.measured->perplexity = 20.5;
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  EXPECT_EQ(read.data, plan.data);
  EXPECT_EQ(read.measured->perplexity, plan.measured->perplexity);
  EXPECT_EQ(ToJson(read), ToJson(plan));
}

TEST(PlanFile, HasHowImagesWereResized) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  for (const char* name : {"resize", "crop", "interpolation"})
    EXPECT_FALSE(ordered_json::parse(ToJson(plan))["data"].contains(name)) << name;
  plan.data.resize = 256;
  plan.data.crop = 224;
  plan.data.interpolation = "bicubic";
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  EXPECT_EQ(read.data, plan.data);
  EXPECT_EQ(ToJson(read), ToJson(plan));
}

TEST(PlanFile, TakesNamesOfLayersAsTheyAre) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  const std::vector<std::string> names = {"stability.kept", "fc", "fc.0", "a.b/c~1", "kept", "ä[0]", ".."};
  plan.layers.resize(1);
  plan.stability->kept.clear();
  for (const std::string& name : names) {
    plan.layers.push_back({name, plan.layers[0].weight, plan.layers[0].activation});
    plan.stability->kept[name] = 0.5;
  }
  plan.layers.erase(plan.layers.begin());
  EXPECT_EQ(ToJson(ReadPlan(folder.Put("plan.json", ToJson(plan)))), ToJson(plan));
  plan.stability->kept = {{"module.fc", 1}};  // as the layers were called when the samples were drawn
  EXPECT_EQ(ToJson(ReadPlan(folder.Put("plan.json", ToJson(plan)))), ToJson(plan));
  plan.stability->kept = {{"fc", 2}};
  EXPECT_THAT([&] { ReadPlan(folder.Put("plan.json", ToJson(plan))); }, OneLineError("stability.kept", "from 0 to 1"));
}

TEST(PlanFile, HasOperandsOnlyWhereThereAreSome) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  EXPECT_FALSE(ordered_json::parse(ToJson(plan)).contains("operands"));
  plan.operands = {{"add_0.1", DefaultActivationFormat()}, {"softmax_2.0", DefaultActivationFormat().WithBits(4)}};
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  ASSERT_EQ(read.operands.size(), 2U);
  EXPECT_EQ(read.operands[1].name, "softmax_2.0");
  EXPECT_EQ(read.operands[1].format, plan.operands[1].format);
  EXPECT_EQ(ToJson(read), ToJson(plan));
  plan.operands[1].name = "add_0.1";
  EXPECT_THAT([&] { ReadPlan(folder.Put("plan.json", ToJson(plan))); },
              OneLineError("plan.json", "operands[1].name", "no other operand"));
}

TEST(PlanFile, HasGridsOnlyWhereTheyWereLearned) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  EXPECT_FALSE(ordered_json::parse(ToJson(plan))["layers"][0].contains("learned_weight"));
  plan.layers[0].learned_weight = LearnedGrid{{0.1, 1.0 / 3}, {3, 0}, {}, {}};
  plan.layers[1].learned_weight = LearnedGrid{{0.5}, {}, {0.25}, {0.75}};
  plan.layers[1].learned_input = ActivationRange{0.1, 7, -0.25};
  plan.operands = {{"add_0.1", DefaultActivationFormat(), ActivationRange{1.0 / 7, 2}}};
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.layers[i].learned_weight, plan.layers[i].learned_weight);
    EXPECT_EQ(read.layers[i].learned_input, plan.layers[i].learned_input);
  }
  EXPECT_EQ(read.operands[0].learned, plan.operands[0].learned);
  const auto rejects = [&](const std::string& part, const nlohmann::json& value, const std::string& key,
                           const std::string& expected) {
    nlohmann::json json = nlohmann::json::parse(ToJson(plan));
    json["layers"][1][part][key] = value;
    EXPECT_THAT([&] { ReadPlan(folder.Put("plan.json", json.dump())); },
                OneLineError("plan.json", "layers[1]." + part + "." + key, expected));
  };
  rejects("learned_weight", std::vector<double>{0}, "scales", "positive");
  rejects("learned_weight", std::vector<double>{}, "scales", "one a scale");
  rejects("learned_weight", {1, 2}, "negative_scales", "1 numbers");
  rejects("learned_weight", {0.5}, "zero_points", "integers");
  rejects("learned_input", -1, "scale", "positive");
  rejects("learned_input", 1e9, "zero_point", "65535");
}

TEST(PlanFile, WritesWhatIsNotKnownAsNull) {
  const TemporaryFolder folder;
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Plan plan = FullPlan();
  plan.measured = Evaluation{-1, 100, kNaN, kNaN, 0.5, 0.25};
  plan.certificate.bound = -std::numeric_limits<double>::infinity();
  const auto json = ordered_json::parse(ToJson(plan));
  for (const char* key : {"correct", "accuracy", "loss"}) EXPECT_TRUE(json["measured"][key].is_null()) << key;
  EXPECT_TRUE(json["certificate"]["bound"].is_null());
  const Plan read = ReadPlan(folder.Put("plan.json", ToJson(plan)));
  EXPECT_EQ(read.measured->correct, -1);
  EXPECT_TRUE(std::isnan(read.measured->loss));
  EXPECT_TRUE(std::isnan(read.certificate.bound));
  plan.measured.reset();
  EXPECT_FALSE(ReadPlan(folder.Put("plan.json", ToJson(plan))).measured.has_value());
}

TEST(PlanFile, HasOneSpaceOfIndentAndEndsInALine) {
  const std::string text = ToJson(FullPlan());
  EXPECT_EQ(text.substr(0, 32), "{\n \"schema\": \"bitplan.plan/1\",\n ");
  EXPECT_TRUE(text.ends_with("}\n"));
  EXPECT_EQ(text, ToJson(FullPlan()));
}

TEST(PlanFile, KeepsTextThatIsNotUtf8Readable) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  plan.data.spec = "cifar10:\xff.bin";
  EXPECT_EQ(ReadPlan(folder.Put("plan.json", ToJson(plan))).data.spec, "cifar10:\xEF\xBF\xBD.bin");
}

template <typename Change>
void ExpectPlanRefused(const Change& change, const std::string& key, const std::string& expected) {
  const TemporaryFolder folder;
  auto json = ordered_json::parse(ToJson(FullPlan()));
  change(json);
  const auto file = folder.Put("changed.json", json.dump());
  EXPECT_THAT([&] { ReadPlan(file); }, OneLineError("changed.json", key, expected)) << key;
}

TEST(PlanFile, RefusesFormatsThatDoNotExist) {
  for (const int bits : {-1, 0, 9, 12, 33})
    ExpectPlanRefused([&](auto& j) { j["layers"][1]["weight"]["bits"] = bits; }, "layers[1].weight.bits",
                      "1 to 8, 16 or 32");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["activation"]["bits"] = "8"; }, "layers[0].activation.bits",
                    "1 to 8, 16 or 32");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["activation"]["bits"] = 4294967304; }, "activation.bits",
                    "1 to 8, 16 or 32");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["scheme"] = "x"; }, "layers[0].weight.scheme", "symmetric");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["granularity"] = "x"; }, "layers[0].weight.granularity",
                    "channel");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["calibrator"] = "x"; }, "layers[0].weight.calibrator",
                    "entropy");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["percentile"] = 101; }, "layers[0].weight.percentile",
                    "(0, 100]");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["type"] = "x"; }, "layers[0].weight.type", "nf4");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["type"] = "nf4"; }, "layers[0].weight", "nf4 has 4");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["scale_type"] = "x"; }, "layers[0].weight.scale_type",
                    "power-of-two");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["group_size"] = -1; }, "layers[0].weight.group_size",
                    "at least 0");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["granularity"] = "group"; }, "layers[0].weight",
                    "group_size");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"]["deviations"] = 0; }, "layers[0].weight", "deviations");
  ExpectPlanRefused([](auto& j) { j["layers"][0]["weight"].erase("type"); }, "layers[0].weight", "type");
}

TEST(PlanFile, KeepsEveryFieldOfAFormat) {
  const TemporaryFolder folder;
  Plan plan = FullPlan();
  Format& weight = plan.layers[0].weight;
  weight.type = NumberType::E2M1;
  weight.bits = 4;
  weight.granularity = Granularity::Block;
  weight.group_size = 32;
  weight.scale_type = ScaleType::DoubleQuantized;
  weight.calibrator = Calibrator::Deviations;
  weight.deviations = 2.5;
  plan.layers[1].weight.reduce_range = true;
  plan.layers[1].activation.calibrator = Calibrator::Dynamic;
  WriteFile(folder / "plan.json", ToJson(plan));
  const Plan read = ReadPlan(folder / "plan.json");
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    EXPECT_EQ(read.layers[i].weight, plan.layers[i].weight);
    EXPECT_EQ(read.layers[i].activation, plan.layers[i].activation);
  }
}

TEST(PlanFile, RefusesLayersOfOneNameAndCountsThatCannotBe) {
  ExpectPlanRefused([](auto& j) { j["layers"][1]["name"] = "conv1"; }, "layers[1].name", "no other layer");
  ExpectPlanRefused([](auto& j) { j["measured"]["correct"] = 2000; }, "measured.correct", "at most 1017");
  ExpectPlanRefused([](auto& j) { j["measured"]["correct"] = 1e300; }, "measured.correct", "integer");
  ExpectPlanRefused([](auto& j) { j["measured"]["total"] = -1; }, "measured.total", "at least 0");
}

}  // namespace
}  // namespace bitplan::plan
