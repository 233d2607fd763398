#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bitplan {

/// What one layer costs at each pair of widths.
struct LayerCost {
  std::string name;  ///< of the layer
  std::vector<double>
      values;  ///< [weight_bits, activation_bits] of the table, row-major; finite, ≥ 0; empty: nothing at any width
  /// The pairs ("w8a8") that were measured, each with half the interquartile range of its repeats. Where this is not
  /// empty all others are estimates.
  std::map<std::string, double> measured = {};
};

/// A cost that the layers' weights and MACs alone do not give: a number for every layer and pair of widths, added up
/// over the layers. Where a cost is the largest of several sums (the memory at each moment of a run), there is a table
/// for each, called `COST@MOMENT`; a budget on COST holds for all of them. File form: `bitplan.costs/1`.
struct CostTable {
  std::string cost;                  ///< key in problem files, its unit at the end: latency_ms
  std::string source;                ///< in words: where the numbers are from
  double fixed = 0;                  ///< what no width changes; finite, ≥ 0
  std::vector<int> weight_bits;      ///< ascending, 1 … 32; empty: the weight's width makes no difference
  std::vector<int> activation_bits;  ///< likewise
  std::vector<LayerCost> layers;

  /// Without `fixed`; nothing where the table has no such widths.
  std::optional<double> At(std::size_t layer, int weight_width, int activation_width) const;

  /// Throws Error naming the table, layer and entry that breaks what is said above.
  void Validate() const;
};

/// The table of `cost` with `value(layer, weight width, activation width)` everywhere, for the layers called `names`. A
/// width that makes no difference is given as 0.
template <typename Value>
CostTable Tabulate(std::string cost, std::string source, const std::vector<int>& weight_bits,
                   const std::vector<int>& activation_bits, const std::vector<std::string>& names, const Value& value) {
  CostTable table{std::move(cost), std::move(source), 0, weight_bits, activation_bits, {}};
  const std::vector<int> any{0};
  for (std::size_t i = 0; i < names.size(); ++i) {
    LayerCost& layer = table.layers.emplace_back(LayerCost{names[i], {}});
    for (const int weight : weight_bits.empty() ? any : weight_bits)
      for (const int activation : activation_bits.empty() ? any : activation_bits)
        layer.values.push_back(value(i, weight, activation));
  }
  return table;
}

}  // namespace bitplan
