#include "cost_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "bitplan/plan.h"

namespace bitplan {

namespace {

constexpr const char* kCostSchema = "bitplan.costs/1";

std::size_t Entries(const std::vector<int>& widths) { return std::max<std::size_t>(widths.size(), 1); }

/// One list a weight width, of one number an activation width; null for nothing.
plan::Json GridJson(const std::vector<double>& values, std::size_t columns) {
  if (values.empty()) return {};
  plan::Json rows = plan::Json::array();
  for (std::size_t begin = 0; begin < values.size(); begin += columns) {
    plan::Json row = plan::Json::array();
    for (std::size_t i = begin; i < begin + columns; ++i) row.push_back(values[i]);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<int> ReadWidths(plan::JsonReader& reader, const std::string& key) {
  std::vector<int> widths;
  for (const double number : reader.Numbers(key)) {
    if (number < 1 || number > 32 || number != std::floor(number))
      reader.Fail(key, "widths, whole numbers from 1 to 32");
    widths.push_back(static_cast<int>(number));
  }
  return widths;
}

}  // namespace

}  // namespace bitplan

namespace bitplan::plan {

Json CostTableJson(const CostTable& table) {
  Json json{{"cost", table.cost},
            {"source", table.source},
            {"fixed", table.fixed},
            {"weight_bits", table.weight_bits},
            {"activation_bits", table.activation_bits},
            {"layers", Json::array()}};
  for (const LayerCost& layer : table.layers) {
    Json& written = json["layers"].emplace_back(
        Json{{"name", layer.name}, {"values", GridJson(layer.values, Entries(table.activation_bits))}});
    if (!layer.measured.empty()) written["measured"] = layer.measured;
  }
  return json;
}

CostTable ReadCostTable(JsonReader& reader) {
  CostTable table;
  table.cost = reader.String("cost");
  table.source = reader.String("source");
  if (reader.Has("fixed")) table.fixed = reader.Number("fixed", 0);
  table.weight_bits = ReadWidths(reader, "weight_bits");
  table.activation_bits = ReadWidths(reader, "activation_bits");
  const std::vector<std::size_t> shape{Entries(table.weight_bits), Entries(table.activation_bits)};
  for (JsonReader& layer : reader.Objects("layers")) {
    LayerCost cost{layer.String("name"), {}};
    if (!layer.IsNull("values")) {
      NumberArray values = layer.Array("values", 2);
      if (values.shape != shape)
        layer.Fail("values", fmt::format("{} lists, one a weight width, of {} numbers, one an activation width",
                                         shape[0], shape[1]));
      cost.values = std::move(values.numbers);
    }
    if (layer.Has("measured")) cost.measured = layer.NumberMap("measured");
    layer.Finish();
    table.layers.push_back(std::move(cost));
  }
  reader.Finish();
  try {
    table.Validate();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return table;
}

}  // namespace bitplan::plan

namespace bitplan {

std::string ToJson(const std::vector<CostTable>& tables) {
  plan::Json json{{"schema", kCostSchema}, {"tables", plan::Json::array()}};
  for (const CostTable& table : tables) json["tables"].push_back(plan::CostTableJson(table));
  return plan::JsonText(json);
}

std::vector<CostTable> ReadCosts(const std::filesystem::path& file) {
  plan::JsonReader reader = plan::JsonReader::Open(file, kCostSchema);
  std::vector<CostTable> tables;
  for (plan::JsonReader& table : reader.Objects("tables")) tables.push_back(plan::ReadCostTable(table));
  reader.Finish();
  return tables;
}

}  // namespace bitplan
