#include "bitplan/cost_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "bitplan/cost.h"
#include "bitplan/error.h"

namespace bitplan {

namespace {

/// Row or column of a width; the only one where the width makes no difference.
std::optional<std::size_t> Position(const std::vector<int>& widths, int width) {
  if (widths.empty()) return 0;
  const auto found = std::find(widths.begin(), widths.end(), width);
  if (found == widths.end()) return std::nullopt;
  return static_cast<std::size_t>(found - widths.begin());
}

std::size_t Entries(const std::vector<int>& widths) { return std::max<std::size_t>(widths.size(), 1); }

void CheckWidths(const CostTable& table, const char* key, const std::vector<int>& widths) {
  const bool ascending = std::adjacent_find(widths.begin(), widths.end(), std::greater_equal<>()) == widths.end();
  if (!ascending || (!widths.empty() && (widths.front() < 1 || widths.back() > 32)))
    throw Error(fmt::format("cost table {}: {} [{}] must be widths from 1 to 32 in ascending order", table.cost, key,
                            fmt::join(widths, ", ")));
}

bool IsCost(double number) { return std::isfinite(number) && number >= 0; }

bool IsKey(std::string_view name) {
  const std::size_t end = std::min(name.find('@'), name.size());
  return end > 0 &&
         name.substr(0, end).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

/// The table's layers in the order of `layers`.
void Reorder(CostTable& table, const std::vector<LayerSensitivity>& layers) {
  std::map<std::string, LayerCost> by_name;
  for (LayerCost& layer : table.layers) by_name.emplace(layer.name, std::move(layer));
  table.layers.clear();
  for (const LayerSensitivity& layer : layers) {
    const auto found = by_name.find(layer.name);
    if (found == by_name.end())
      throw Error(fmt::format("cost table {} ({}) says nothing of layer '{}'; it must have every layer of the model",
                              table.cost, table.source, layer.name));
    table.layers.push_back(std::move(found->second));
    by_name.erase(found);
  }
  if (!by_name.empty())
    throw Error(fmt::format("cost table {} ({}) has a layer '{}', which the model has not", table.cost, table.source,
                            by_name.begin()->first));
}

}  // namespace

std::optional<double> CostTable::At(std::size_t layer, int weight_width, int activation_width) const {
  const auto row = Position(weight_bits, weight_width), column = Position(activation_bits, activation_width);
  if (!row || !column) return std::nullopt;
  const std::vector<double>& values = layers[layer].values;
  return values.empty() ? 0 : values[*row * Entries(activation_bits) + *column];
}

void CostTable::Validate() const {
  if (!IsKey(cost))
    throw Error(
        fmt::format("cost table '{}': a cost's name is of lower-case letters, digits and _, as latency_ms", cost));
  for (const char* built_in : {"average_bits", "bops", "macs", "weight_size_bytes"})
    if (cost == built_in)
      throw Error(fmt::format("cost table {}: that cost follows from the widths; a table needs another name", cost));
  CheckWidths(*this, "weight_bits", weight_bits);
  CheckWidths(*this, "activation_bits", activation_bits);
  if (!IsCost(fixed))
    throw Error(fmt::format("cost table {}: fixed is {}, must be finite and at least 0", cost, fixed));
  std::set<std::string> names;
  for (const LayerCost& layer : layers) {
    if (!names.insert(layer.name).second)
      throw Error(fmt::format("cost table {}: layer '{}' is there twice", cost, layer.name));
    const std::size_t columns = Entries(activation_bits), expected = Entries(weight_bits) * columns;
    if (!layer.values.empty() && layer.values.size() != expected)
      throw Error(
          fmt::format("cost table {}, layer '{}': {} values, expected {} weight widths times {} activation widths",
                      cost, layer.name, layer.values.size(), Entries(weight_bits), columns));
    for (std::size_t i = 0; i < layer.values.size(); ++i)
      if (!IsCost(layer.values[i]))
        throw Error(fmt::format(
            "cost table {}, layer '{}': the value in row {}, column {} is {}, must be finite and at least 0", cost,
            layer.name, i / columns, i % columns, layer.values[i]));
    for (const auto& [widths, spread] : layer.measured)
      if (!IsCost(spread))
        throw Error(fmt::format("cost table {}, layer '{}': the spread of {} is {}, must be finite and at least 0",
                                cost, layer.name, widths, spread));
  }
}

void AddCosts(Sensitivity& sensitivity, std::vector<CostTable> tables) {
  const auto base = [](const CostTable& table) { return table.cost.substr(0, table.cost.find('@')); };
  std::set<std::string> given;
  for (const CostTable& table : tables) given.insert(base(table));
  std::erase_if(sensitivity.costs, [&](const CostTable& table) { return given.contains(base(table)); });
  for (CostTable& table : tables) {
    table.Validate();
    for (const CostTable& other : sensitivity.costs)
      if (other.cost == table.cost) throw Error(fmt::format("there are two cost tables for {}", table.cost));
    Reorder(table, sensitivity.layers);
    sensitivity.costs.push_back(std::move(table));
  }
}

std::map<std::string, double> WithPeaks(const std::map<std::string, double>& costs) {
  std::map<std::string, double> peaks;
  for (const auto& [cost, value] : costs) {
    const auto [peak, inserted] = peaks.try_emplace(cost.substr(0, cost.find('@')), value);
    if (!inserted) peak->second = std::max(peak->second, value);
  }
  return peaks;
}

}  // namespace bitplan
