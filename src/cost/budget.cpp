#include <fmt/format.h>

#include <array>
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
  static const std::vector<CostName> costs = {
      {"weight_size",
       "weight_size_bytes",
       {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"kB", 1e3}, {"MB", 1e6}},
       true},
      {"bops", "bops", {{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}, true},
      {"average_bits", "average_bits", {{"", 1}}, false}};
  return costs;
}

[[noreturn]] void Reject(std::string_view text, std::string_view why) {
  throw Error(fmt::format(
      "budget '{}': {}; expected weight_size=12.5%, weight_size=100KiB, bops=10%, bops=1.5G or average_bits=4", text,
      why));
}

}  // namespace

BudgetSpec ParseBudget(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) Reject(text, "there is no '='");
  const std::string_view name = text.substr(0, equals), amount = text.substr(equals + 1);
  for (const CostName& cost : Costs()) {
    if (cost.user != name) continue;
    BudgetSpec budget{std::string(cost.key), 0, false};
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
      if (!std::isfinite(budget.value)) Reject(text, "the value is too large");
      return budget;
    }
    Reject(text, fmt::format("unknown unit '{}'", unit));
  }
  Reject(text, fmt::format("unknown cost '{}'", name));
}

}  // namespace bitplan
