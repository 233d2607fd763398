#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bitplan/plan.h"
#include "bitplan/plot.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"
#include "plan/example_files.h"

namespace bitplan::plan {
namespace {

std::vector<CostTable> Example() {
  return {{"latency_ms",
           "a stopwatch",
           0.5,
           {4, 8},
           {8, 32},
           {{"conv1", {1, 2, 3, 4.25}, {{"w8a8", 0.1}}}, {"linear", {5, 6, 7, 8}}}},
          {"memory_bytes@conv1", "", 0, {}, {8, 32}, {{"conv1", {9, 10}}, {"linear", {}}}}};
}

class CostFile : public ::testing::Test {
 protected:
  /// The example with one value replaced.
  std::filesystem::path WriteWith(const std::string& pointer, const nlohmann::json& value) const {
    auto json = nlohmann::json::parse(ToJson(Example()));
    json[nlohmann::json::json_pointer(pointer)] = value;
    return folder.Put("costs.json", json.dump());
  }

  const TemporaryFolder folder;
};

TEST_F(CostFile, ReadsBackWhatWasWritten) {
  const std::vector<CostTable> tables = ReadCosts(folder.Put("costs.json", ToJson(Example())));
  EXPECT_EQ(ToJson(tables), ToJson(Example()));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].At(0, 8, 32), 4.25);
  EXPECT_EQ(tables[0].At(1, 4, 8), 5);
  EXPECT_EQ(tables[0].layers[0].measured.at("w8a8"), 0.1);
  EXPECT_EQ(tables[1].At(0, 3, 32), 10);
  EXPECT_EQ(tables[1].At(1, 3, 32), 0);
}

TEST_F(CostFile, SaysWhatIsWrongAndWhere) {
  const auto reading = [&](const std::string& pointer, const nlohmann::json& value) {
    return [file = WriteWith(pointer, value)] { ReadCosts(file); };
  };
  EXPECT_THAT(reading("/tables/0/layers/1/values", {{5, 6}, {7, -8}}),
              OneLineError("costs.json", "tables[0]", "'linear'", "row 1, column 1", "-8"));
  EXPECT_THAT(reading("/tables/0/layers/1/values", {{5, 6}, {7, nullptr}}),
              OneLineError("costs.json", "tables[0].layers[1].values", "finite"));
  EXPECT_THAT(reading("/tables/0/layers/1/values", {{5, 6}}),
              OneLineError("tables[0].layers[1].values", "2 lists", "2 numbers"));
  EXPECT_THAT(reading("/tables/0/layers/1/values", {{5, 6}, {7}}),
              OneLineError("tables[0].layers[1].values", "equally long"));
  EXPECT_THAT(reading("/tables/0/layers/1/name", "conv1"), OneLineError("'conv1' is there twice"));
  EXPECT_THAT(reading("/tables/0/weight_bits", {8, 4}), OneLineError("weight_bits [8, 4]"));
  EXPECT_THAT(reading("/tables/0/weight_bits", {4.5, 8}), OneLineError("tables[0].weight_bits", "whole numbers"));
  EXPECT_THAT(reading("/tables/0/fixed", -1), OneLineError("tables[0].fixed", "at least 0"));
  EXPECT_THAT(reading("/tables/0/cost", "weight_size_bytes"), OneLineError("weight_size_bytes", "another name"));
  EXPECT_THAT(reading("/tables/0/note", "x"), OneLineError("unknown key", "tables[0].note"));
  EXPECT_THAT(reading("/schema", "bitplan.costs/2"), OneLineError("bitplan.costs/1"));
}

TEST_F(CostFile, OfASensitivityIsChecked) {
  Sensitivity sensitivity = FullSensitivity();
  std::vector<CostTable> tables(1);
  tables[0] = {"latency_ms", "", 0, {}, {}, {}};
  for (const LayerSensitivity& layer : sensitivity.layers) tables[0].layers.push_back({layer.name, {2}});
  AddCosts(sensitivity, tables);
  auto json = nlohmann::json::parse(ToJson(sensitivity));
  EXPECT_EQ(ReadSensitivity(folder.Put("s.json", json.dump())).costs.at(0).At(0, 4, 8), 2);
  json["costs"][0]["layers"][0]["name"] = "other";
  folder.Put("s.json", json.dump());
  EXPECT_THAT([&] { ReadSensitivity(folder / "s.json"); }, OneLineError("s.json", "costs", "says nothing of layer"));
}

TEST_F(CostFile, AsLinesIsReadInAnyOrder) {
  const CostTable table = ReadCostCsv(folder.Put(
      "t.csv", "layer,weight_bits,activation_bits,latency_ms\r\nb,8,8,4\na,4,8,1.5\na,8,8,2\r\n\nb,4,8,3e0\n"));
  EXPECT_EQ(table.cost, "latency_ms");
  ASSERT_EQ(table.layers.size(), 2U);
  EXPECT_EQ(table.layers[0].name, "b");
  EXPECT_EQ(table.At(1, 4, 8), 1.5);
  EXPECT_EQ(table.At(0, 4, 8), 3);
  EXPECT_EQ(table.At(0, 4, 32), std::nullopt);
}

TEST_F(CostFile, AsLinesNamesTheLineThatIsWrong) {
  const std::string header = "layer,weight_bits,activation_bits,latency_ms\n";
  const auto reading = [&](const std::string& text) {
    return [file = folder.Put("t.csv", text)] { ReadCostCsv(file); };
  };
  EXPECT_THAT(reading(""), OneLineError("t.csv:1", "layer,weight_bits,activation_bits,COST"));
  EXPECT_THAT(reading("layer,w,a,ms\n"), OneLineError("t.csv:1"));
  EXPECT_THAT(reading(header), OneLineError("t.csv", "no lines"));
  EXPECT_THAT(reading(header + "a,4,8\n"), OneLineError("t.csv:2", "3 cells"));
  EXPECT_THAT(reading(header + "a,4,8,1\na,four,8,1\n"), OneLineError("t.csv:3", "'four'"));
  EXPECT_THAT(reading(header + "a,4,8,fast\n"), OneLineError("t.csv:2", "'fast'"));
  EXPECT_THAT(reading(header + "a,4,8,nan\n"), OneLineError("t.csv", "layer 'a'", "nan"));
  EXPECT_THAT(reading(header + "a,4,8,-2\n"), OneLineError("t.csv", "layer 'a'", "-2"));
  EXPECT_THAT(reading(header + "a,4,8,1\na,4,8,1\n"), OneLineError("'a' at w4a8 is there twice"));
  EXPECT_THAT(reading(header + "a,4,8,1\nb,8,8,1\n"), OneLineError("'a' has no line for w8a8"));
  EXPECT_THAT(reading(header + "a,0,8,1\n"), OneLineError("t.csv", "weight_bits [0]"));
  EXPECT_THAT([&] { ReadCostCsv(folder / "none.csv"); }, OneLineError("none.csv", "cannot be read"));
}

TEST_F(CostFile, AsLinesReadsQuotedCells) {
  const CostTable table = ReadCostCsv(
      folder.Put("t.csv",
                 "layer,weight_bits,\"activation_bits\",\"latency_ms\"\r\n"
                 "\"a,b\",4,8,\"1.5\"\r\n\"two\nlines\",4,8,2\n\"\",4,8,3\n\" blank \",4,8,4\nin \"word\",4,8,5"));
  EXPECT_EQ(table.cost, "latency_ms");
  ASSERT_EQ(table.layers.size(), 5U);
  const std::vector<std::string> names{"a,b", "two\nlines", "", " blank ", "in \"word\""};
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(table.layers[i].name, names[i]);
  EXPECT_EQ(table.At(0, 4, 8), 1.5);
  EXPECT_EQ(table.At(4, 4, 8), 5);
}

TEST_F(CostFile, AsLinesReadsBackWhatToCsvWrites) {
  const std::vector<std::string> names{"plain", "a,b",    "\"", "\"\"", "a\"b", ",",
                                       "\n",    "a\r\nb", "\r", " a",   "a ",   "é,±"};
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], 4, 8, 0.1 * static_cast<double>(i)});
  const CostTable table =
      ReadCostCsv(folder.Put("t.csv", ToCsv({"layer", "weight_bits", "activation_bits", "latency_ms"}, rows)));
  ASSERT_EQ(table.layers.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(table.layers[i].name, names[i]);
    EXPECT_EQ(table.At(i, 4, 8), 0.1 * static_cast<double>(i));
  }
}

TEST_F(CostFile, AsLinesNamesTheQuoteThatIsWrong) {
  const std::string header = "layer,weight_bits,activation_bits,latency_ms\n";
  const auto reading = [&](const std::string& text) {
    return [file = folder.Put("t.csv", text)] { ReadCostCsv(file); };
  };
  EXPECT_THAT(reading(header + "a,4,8,1\n\"b,8,8,1\n"), OneLineError("t.csv:3", "never closed"));
  EXPECT_THAT(reading(header + "\"a\"b,4,8,1\n"), OneLineError("t.csv:2", "before the end of its cell"));
  EXPECT_THAT(reading(header + "\"a\nb\",4,8,1\nc,four,8,1\n"), OneLineError("t.csv:4", "'four'"));
}

/// [2 layers, 3 weight widths, 2 activation widths] of int64 0, 1, …, as NumPy writes it.
std::string SmallArray(const std::string& type = "<i8", std::int64_t first = 0) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (2, 3, 2), }";
  header.resize(117, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += std::string{static_cast<char>(header.size()), 0} + header;
  for (std::int64_t i = 0; i < 12; ++i) {
    const std::int64_t number = first + i;
    text.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return text;
}

TEST_F(CostFile, AsAnArrayHasLayersThenWeightThenActivationBitsFromOne) {
  const CostTable table = ReadCostArray(folder.Put("t.npy", SmallArray()), "latency_cycles", {"a", "b"});
  EXPECT_EQ(table.cost, "latency_cycles");
  for (int weight = 1; weight <= 3; ++weight)
    for (int activation = 1; activation <= 2; ++activation)
      EXPECT_EQ(table.At(1, weight, activation), 6 + 2 * (weight - 1) + activation - 1);
  EXPECT_EQ(table.At(0, 4, 1), std::nullopt);
  EXPECT_EQ(table.At(0, 1, 0), std::nullopt);
}

TEST_F(CostFile, AsAnArrayIsRefusedInAnotherShapeOrType) {
  const auto file = folder.Put("t.npy", SmallArray());
  EXPECT_THAT([&] { ReadCostArray(file, "latency_cycles", {"a", "b", "c"}); },
              OneLineError("t.npy", "[2, 3, 2]", "[3, 1 … 32, 1 … 32]"));
  const std::vector<std::string> layers{"a", "b"};
  folder.Put("u.npy", SmallArray("<f2"));
  EXPECT_THAT([&] { ReadCostArray(folder / "u.npy", "cycles", layers); }, OneLineError("u.npy"));
  folder.Put("n.npy", SmallArray("<i8", -3));
  EXPECT_THAT([&] { ReadCostArray(folder / "n.npy", "cycles", layers); }, OneLineError("n.npy", "layer 'a'", "-3"));
}

}  // namespace
}  // namespace bitplan::plan
