#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "bitplan/cost.h"
#include "bitplan/error.h"

namespace bitplan {

namespace {

using Units = std::vector<std::pair<std::string_view, double>>;

struct CostName {
  std::string_view user, key;
  Units units;
  bool percent;
};

const std::vector<CostName>& Costs() {
  static const Units bytes = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"kB", 1e3}, {"MB", 1e6}};
  static const Units counts = {{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}};
  static const std::vector<CostName> costs = {
      {"weight_size", "weight_size_bytes", bytes, true},
      {"file_size", "file_size_bytes", bytes, true},
      {"activation_memory", "activation_memory_bytes", bytes, true},
      {"macs", "macs", counts, true},
      {"bops", "bops", counts, true},
      {"energy", "energy_uj", {{"", 1}, {"nJ", 1e-3}, {"uJ", 1}, {"mJ", 1e3}, {"J", 1e6}}, true},
      {"latency", "latency_ms", {{"", 1}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}}, true},
      {"average_bits", "average_bits", {{"", 1}}, false}};
  return costs;
}

[[noreturn]] void Reject(std::string_view text, std::string_view why) {
  throw Error(
      fmt::format("budget '{}': {}; expected weight_size=12.5%, weight_size=100KiB, bops=10%, bops=1.5G, "
                  "average_bits=4, latency=5ms …",
                  text, why));
}

/// How a budget on `name` is written; a table's cost by its own name.
CostName FindCost(std::string_view name) {
  for (const CostName& cost : Costs())
    if (cost.user == name) return cost;
  return {name, name, {{"", 1}}, true};
}

}  // namespace

BudgetSpec ParseBudget(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) Reject(text, "there is no '='");
  if (equals == 0) Reject(text, "there is no cost in front of '='");
  const std::string_view amount = text.substr(equals + 1);
  const CostName cost = FindCost(text.substr(0, equals));
  BudgetSpec budget{std::string(cost.key), 0, false, std::string(text.substr(0, equals)), ""};
  const auto [end, status] = std::from_chars(amount.data(), amount.data() + amount.size(), budget.value);
  if (status != std::errc() || !std::isfinite(budget.value)) Reject(text, "the value is not a number");
  if (budget.value <= 0) Reject(text, "the value must be above 0");
  const std::string_view unit = amount.substr(static_cast<std::size_t>(end - amount.data()));
  if (unit == "%" && cost.percent) {
    budget.percent = true;
    return budget;
  }
  for (const auto& [suffix, factor] : cost.units) {
    if (suffix != unit) continue;
    budget.value *= factor;
    budget.unit = unit;
    if (!std::isfinite(budget.value)) Reject(text, "the value is too large");
    return budget;
  }
  Reject(text, fmt::format("unknown unit '{}'", unit));
}

}  // namespace bitplan
