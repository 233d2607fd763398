#include "search_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "bitplan/run.h"
#include "number_option.h"
#include "values.h"

namespace bitplan::cli {

void AddSearchOptions(CommandLine& line, const SearchRegistry& searches) {
  const SearchOptions defaults;
  const std::vector<std::string> names = searches.Names();
  line.Add({
      {"budget", Texts("COST=VALUE"),
       "weight_size=12.5%, weight_size=100KiB, bops=10%, average_bits=4, file_size, activation_memory, macs, energy, "
       "latency or another cost of --costs"},
      {"keep", Texts("LAYER=BITS"),
       "pin widths: first=8, linear=w8a8, 'layer1.*=w4,8'; first, last, a layer's name or pattern, or an operator; of "
       "several that name a layer the last counts"},
      {"widths", EnumOr(ProblemOptions().width_rule),
       "how a layer's weight and input widths go together; ordered: the input never below the weight"},
      {"price", Texts("COST=VALUE"), "add VALUE times the cost to what is minimized: weight_size_bytes=1e-6"},
      {"method", OneOf({names.begin(), names.end()}, defaults.method, "arg"),
       fmt::format("how the plan is searched, with a joint term by {}",
                   fmt::join(searches.NamesForJointTerms(), " or "))},
      {"measure", EnumOr(ProblemOptions().measure), "what predicts the loss"},
      {"joint", Flag(),
       "add up the layers' shifts of the output before the loss is taken; searched by the method convex"},
      {"no-shrink", Flag(), "take the measure's figures as they are, not shrunk by their standard errors"},
      {"gap", Number<double>(NumberFrom(0), defaults.gap), "relative gap at which the exact search may stop"},
      {"resamples",
       Number<std::int64_t>({[](double draws) { return draws == 0 || draws >= 2; }, "0, or a whole number from 2 on"},
                            RunOptions().resamples),
       "draws of the samples by which the plan's stability is judged; 0 for none"},
      {"time-limit",
       Number<double>({[](double seconds) { return seconds > 0; }, "seconds above 0"}, defaults.time_limit_seconds),
       "seconds after which it returns the best plan so far, with its bound"},
  });
}

SearchOptions ReadSearchOptions(const CommandLine& line) {
  SearchOptions options;
  options.method = line.Get<std::string>("method");
  if (line.Get<bool>("joint") && line.IsDefault("method")) options.method = ProvingMethod(true);
  options.gap = line.Get<double>("gap");
  options.time_limit_seconds = line.Get<double>("time-limit");
  options.Validate();
  return options;
}

ProblemOptions ReadProblemOptions(const CommandLine& line) {
  ProblemOptions options;
  options.measure = line.GetEnum<Measure>("measure");
  options.joint = line.Get<bool>("joint");
  options.shrink = !line.Get<bool>("no-shrink");
  for (const std::string& text : line.List("budget")) options.budgets.push_back(ParseBudget(text));
  options.prices = ParsePerCost("price", line.List("price"));
  options.width_rule = line.GetEnum<WidthRule>("widths");
  for (const std::string& text : line.List("keep")) options.pins.push_back(ParsePin(text));
  return options;
}

}  // namespace bitplan::cli
