#include "integer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "configuration_options.h"
#include "number_option.h"
#include "report.h"

namespace bitplan::cli {

void AddIntegerOptions(CommandLine& line) {
  const IntegerOptions defaults;
  const OfWhat of{{"integer"}};
  line.Add({
      {"integer", Flag(), "measure the plan computed with integers, too", OfAPlan()},
      {"accumulator-bits", Number<int>(WholeWithin(8, 48), defaults.accumulator_bits)->value_name("BITS"),
       "width of the sums of products", of},
      {"overflow", EnumOr(defaults.overflow, "RULE"), "what an accumulator does with a sum that it cannot hold", of},
      {"multiplier-bits", Number<int>(WholeWithin(1, 31), defaults.multiplier_bits)->value_name("BITS"),
       "bits of the integers that scales are multiplied by", of},
  });
}

bool WantsInteger(const CommandLine& line) { return line.Get<bool>("integer"); }

IntegerOptions ReadIntegerOptions(const CommandLine& line) {
  IntegerOptions options;
  options.accumulator_bits = line.Get<int>("accumulator-bits");
  options.overflow = line.GetEnum<Overflow>("overflow");
  options.multiplier_bits = line.Get<int>("multiplier-bits");
  options.Validate();
  return options;
}

void PrintIntegerEvaluation(const IntegerEvaluation& integer) {
  if (!integer.overflows.empty()) {
    constexpr std::size_t kShown = 10;
    auto most = integer.overflows;
    std::stable_sort(most.begin(), most.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    const std::size_t shown = most.size() > kShown ? kShown - 1 : most.size();
    Table table({"layer", "overflowed accumulators"});
    for (std::size_t i = 0; i < shown; ++i) table.Add({most[i].first, WithCommas(most[i].second)});
    fmt::print("\n{}", table.Text());
    if (shown < most.size()) fmt::print("and fewer in {} more layers; --json FILE lists all\n", most.size() - shown);
  }
  PrintInFloat(integer.in_float, "all operators compute with integers");
}

}  // namespace bitplan::cli
