#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

using nlohmann::ordered_json;

void ExpectEqual(const Curvature& read, const Curvature& written) {
  EXPECT_EQ(read.elements, written.elements);
  EXPECT_EQ(read.eigenvalue, written.eigenvalue);
  EXPECT_EQ(read.eigenvalue_residual, written.eigenvalue_residual);
  EXPECT_EQ(read.eigenvalue_converged, written.eigenvalue_converged);
  EXPECT_EQ(read.trace, written.trace);
  EXPECT_EQ(read.trace_standard_error, written.trace_standard_error);
  EXPECT_EQ(read.trace_significant, written.trace_significant);
}

void ExpectEqual(const std::optional<ArithmeticDifference>& read, const std::optional<ArithmeticDifference>& written) {
  ASSERT_EQ(read.has_value(), written.has_value());
  if (!written) return;
  EXPECT_EQ(read->rows, written->rows);
  EXPECT_EQ(read->trace, written->trace);
}

void ExpectEqual(const std::vector<Perturbation>& read, const std::vector<Perturbation>& written) {
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].bits, written[i].bits);
    EXPECT_EQ(read[i].squared_error, written[i].squared_error);
    EXPECT_EQ(read[i].relative_error, written[i].relative_error);
    ASSERT_EQ(read[i].figures.size(), written[i].figures.size());
    for (const auto& [measure, figure] : written[i].figures) {
      EXPECT_EQ(read[i].figures.at(measure).value, figure.value);
      EXPECT_EQ(read[i].figures.at(measure).standard_error, figure.standard_error);
    }
  }
}

TEST(SensitivityFile, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  written.layers[0].shape = LayerShape{3, 16, 5, 2, 32, 1200, true};
  WriteFile(folder / "s.json", ToJson(written));
  const Sensitivity read = ReadSensitivity(folder / "s.json");
  EXPECT_EQ(read.tool_version, written.tool_version);
  EXPECT_EQ(read.model_sha256, written.model_sha256);
  EXPECT_EQ(read.data, written.data);
  EXPECT_EQ(read.seed, written.seed);
  EXPECT_EQ(read.loss, written.loss);
  EXPECT_EQ(read.fold_batch_norm, written.fold_batch_norm);
  EXPECT_EQ(read.channel_correction, written.channel_correction);
  EXPECT_EQ(read.weight_format, written.weight_format);
  EXPECT_EQ(read.activation_format, written.activation_format);
  ASSERT_EQ(read.layers.size(), written.layers.size());
  for (std::size_t i = 0; i < read.layers.size(); ++i) {
    const LayerSensitivity &a = read.layers[i], &b = written.layers[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.op, b.op);
    EXPECT_EQ(a.weight_count, b.weight_count);
    EXPECT_EQ(a.macs, b.macs);
    EXPECT_EQ(a.input_count, b.input_count);
    EXPECT_EQ(a.tied_group, b.tied_group);
    EXPECT_EQ(a.shape, b.shape);
    ExpectEqual(a.weight, b.weight);
    ExpectEqual(a.activation, b.activation);
    ExpectEqual(a.difference_from_float32, b.difference_from_float32);
    ExpectEqual(a.weight_choices, b.weight_choices);
    ExpectEqual(a.activation_choices, b.activation_choices);
  }
  EXPECT_EQ(ToJson(read), ToJson(written));
}

TEST(SensitivityFile, NamesSchemaFirstAndKeepsTheOrderOfLayers) {
  const auto json = ordered_json::parse(ToJson(FullSensitivity()));
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "bitplan.sensitivity/1");
  EXPECT_EQ(json["layers"][1]["name"], "block.conv1");
  EXPECT_TRUE(json["layers"][2]["activation"]["trace"].is_null());
}

/// Changes one value of a good file and expects an error about it.
template <typename Change>
void ExpectSensitivityRefused(const Change& change, const std::string& key, const std::string& expected) {
  const TemporaryFolder folder;
  auto json = ordered_json::parse(ToJson(FullSensitivity()));
  change(json);
  const auto file = folder.Put("changed.json", json.dump());
  EXPECT_THAT([&] { ReadSensitivity(file); }, OneLineError("changed.json", key, expected)) << key;
}

TEST(SensitivityFile, HasIgnoredLabelsOnlyWhereThereAreSome) {
  const TemporaryFolder folder;
  Sensitivity sensitivity = FullSensitivity();
  EXPECT_FALSE(nlohmann::json::parse(ToJson(sensitivity))["data"].contains("ignored_labels"));
  sensitivity.data.ignored_labels = {255, 7};
  const Sensitivity read = ReadSensitivity(folder.Put("s.json", ToJson(sensitivity)));
  EXPECT_EQ(read.data, sensitivity.data);
  EXPECT_EQ(ToJson(read), ToJson(sensitivity));
}

TEST(SensitivityFile, SaysWhatOutputsAreUnlessTheyAreClassesAlongAxisOne) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  const auto plain = ordered_json::parse(ToJson(written));
  EXPECT_FALSE(plain.contains("outputs") || plain.contains("class_axis"));
  written.outputs = OutputKind::Binary;
  written.class_axis = 2;
  WriteFile(folder / "s.json", ToJson(written));
  EXPECT_EQ(ReadSensitivity(folder / "s.json").outputs, OutputKind::Binary);
  EXPECT_EQ(ReadSensitivity(folder / "s.json").class_axis, 2);
  ExpectSensitivityRefused([](auto& j) { j["outputs"] = "images"; }, "outputs", "classes, binary, values or several");
}

TEST(SensitivityFile, KeepsEveryLossByItsNameAndRefusesOthers) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  for (const Loss loss :
       {Loss::CrossEntropy, Loss::Divergence, Loss::LogitShift, Loss::BinaryCrossEntropy, Loss::MeanSquaredError}) {
    written.loss = loss;
    EXPECT_EQ(nlohmann::json::parse(ToJson(written))["loss"], ToString(loss));
    EXPECT_EQ(ReadSensitivity(folder.Put("s.json", ToJson(written))).loss, loss);
  }
  ExpectSensitivityRefused([](auto& j) { j["loss"] = "mse"; }, "loss", "cross-entropy");
  ExpectSensitivityRefused([](auto& j) { j["loss"] = "auto"; }, "loss", "settled");
}

TEST(SensitivityFile, RefusesValuesOutsideTheirRange) {
  ExpectSensitivityRefused([](auto& j) { j["layers"][1]["weight_count"] = 0; }, "layers[1].weight_count", "at least 1");
  ExpectSensitivityRefused([](auto& j) { j["layers"][1]["weight_count"] = 9e18; }, "layers[1].weight_count", "integer");
  ExpectSensitivityRefused([](auto& j) { j["layers"][1]["weight_count"] = 9000000000000000000; },
                           "layers[1].weight_count", "at most");
  ExpectSensitivityRefused([](auto& j) { j["layers"][1]["macs"] = -1; }, "layers[1].macs", "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["input_count"] = -1; }, "layers[0].input_count", "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["input_count"] = 0; }, "layers[0].activation_choices",
                           "32 bits only");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["tied_group"] = -2; }, "layers[0].tied_group", "at least -1");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["tied_group"] = 5000000000; }, "layers[0].tied_group",
                           "at most");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight"]["elements"] = -1; }, "layers[0].weight.elements",
                           "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight"]["trace_standard_error"] = -1; },
                           "weight.trace_standard_error", "0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][1]["difference_from_float32"]["rows"] = -1; },
                           "difference_from_float32.rows", "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0].erase("difference_from_float32"); },
                           "layers[0].difference_from_float32", "missing");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight_choices"][1]["bits"] = 9; }, "weight_choices[1].bits",
                           "1 to 8, 16 or 32");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight_choices"][1]["bits"] = 2; }, "weight_choices[1].bits",
                           "ascending");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight_choices"][1]["bits"] = 4.0; }, "weight_choices[1].bits",
                           "1 to 8, 16 or 32");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight_choices"][0]["squared_error"] = -1; }, "squared_error",
                           "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["layers"][0]["weight_choices"] = ordered_json::array(); }, "weight_choices",
                           "at least one");
  ExpectSensitivityRefused([](auto& j) { j["layers"][2]["name"] = "conv1"; }, "layers[2].name", "no other layer");
  ExpectSensitivityRefused([](auto& j) { j["seed"] = -1; }, "seed", "not negative");
  ExpectSensitivityRefused([](auto& j) { j["data"]["samples"] = -1; }, "data.samples", "at least 0");
  ExpectSensitivityRefused([](auto& j) { j["data"]["mean"][1] = "x"; }, "data.mean", "numbers");
  ExpectSensitivityRefused([](auto& j) { j["weight_format"]["scheme"] = "odd"; }, "weight_format.scheme",
                           "symmetric, asymmetric");
  ExpectSensitivityRefused([](auto& j) { j["weight_format"]["percentile"] = 0; }, "weight_format.percentile",
                           "(0, 100]");
  ExpectSensitivityRefused([](auto& j) { j["activation_format"]["narrow_range"] = true; },
                           "activation_format.narrow_range", "asymmetric");
}

std::size_t QuantizedChoices(const Sensitivity& sensitivity) {
  std::size_t choices = 0;
  for (const LayerSensitivity& layer : sensitivity.layers)
    for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
      for (const Perturbation& choice : layer.*kind) choices += choice.bits < 32 ? 1 : 0;
  return choices;
}

TEST(SensitivityFile, KeepsContributionsInAFileBeside) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  written.samples = 5;
  Contributions table{{Measure::SingleLoss, Measure::LogitShift}, QuantizedChoices(written), 5, {}};
  for (std::size_t i = 0; i < 2 * table.choices * 5; ++i) table.values.push_back(1.0 / static_cast<double>(i + 1));
  written.contributions = table;
  WriteSensitivity(folder / "s.json", written);
  const Sensitivity read = ReadSensitivity(folder / "s.json");
  EXPECT_EQ(read.samples, 5);
  ASSERT_TRUE(read.contributions);
  EXPECT_EQ(read.contributions->measures, table.measures);
  EXPECT_EQ(read.contributions->choices, table.choices);
  EXPECT_EQ(read.contributions->samples, 5U);
  EXPECT_EQ(read.contributions->values, table.values);

  written.samples = 4;  // not as many as the file beside has
  written.contributions->samples = 4;
  written.contributions->values.resize(2 * table.choices * 4);
  WriteSensitivity(folder / "less.json", written);
  std::filesystem::rename(folder / "less.contributions.npy", folder / "s.contributions.npy");
  EXPECT_THAT([&] { ReadSensitivity(folder / "s.json"); }, OneLineError("contributions"));
  std::filesystem::remove(folder / "s.contributions.npy");
  EXPECT_THAT([&] { ReadSensitivity(folder / "s.json"); }, OneLineError("s.contributions.npy"));
}

TEST(SensitivityFile, KeepsHowManyPredictionsOfEachSampleCount) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  const std::size_t choices = QuantizedChoices(written);
  written.samples = 3;
  written.contributions = {{Measure::LogitShift}, choices, 3, std::vector<double>(choices * 3, 0.5), {4, 0, 2}};
  written.shifts = {6, 1, std::vector<float>(6, 1), std::vector<float>(choices * 6, 0.25F)};
  WriteSensitivity(folder / "s.json", written);
  EXPECT_EQ(ReadSensitivity(folder / "s.json").contributions->predictions, (std::vector<std::int64_t>{4, 0, 2}));
  const auto refuse = [&](const std::vector<double>& predictions, const char* expected) {
    auto json = ordered_json::parse(std::ifstream(folder / "s.json"));
    json["contributions"]["predictions"] = predictions;
    WriteFile(folder / "bad.json", json.dump());
    EXPECT_THAT([&] { ReadSensitivity(folder / "bad.json"); }, OneLineError("bad.json", expected));
  };
  refuse({4, 2}, "one number for each of 3 samples");
  refuse({4, -1, 3}, "not negative");
  refuse({3.5, 0.5, 2}, "whole numbers");
  refuse({0, 0, 0}, "a sample that has some");
  refuse({2, 2, 1}, "shifts: are of 6 predictions");
}

TEST(SensitivityFile, KeepsShiftsInFilesBeside) {
  const TemporaryFolder folder;
  Sensitivity written = FullSensitivity();
  const std::size_t choices = QuantizedChoices(written);
  OutputShifts shifts{2, 3, {1, 2, 3, 4, 5, 6}, std::vector<float>(choices * 6, 0.25F)};
  shifts.shifts.back() = -7;
  written.shifts = shifts;
  WriteSensitivity(folder / "s.json", written);
  const Sensitivity read = ReadSensitivity(folder / "s.json");
  ASSERT_TRUE(read.shifts);
  EXPECT_EQ(read.shifts->samples, 2U);
  EXPECT_EQ(read.shifts->classes, 3U);
  EXPECT_EQ(read.shifts->logits, shifts.logits);
  EXPECT_EQ(read.shifts->shifts, shifts.shifts);

  written.shifts->shifts.resize((choices - 1) * 6);  // of another network
  written.layers.back().weight_choices.pop_back();
  WriteSensitivity(folder / "less.json", written);
  std::filesystem::rename(folder / "less.shifts.npy", folder / "s.shifts.npy");
  EXPECT_THAT([&] { ReadSensitivity(folder / "s.json"); }, OneLineError("shifts"));
}

}  // namespace
}  // namespace bitplan::plan
