#include "configuration_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "format_options.h"
#include "number_option.h"

namespace bitplan::cli {

void AddConfigurationOptions(CommandLine& line) {
  line.Add({
      {"layer-config", ReadFile(),
       "formats by hand in place of a plan: YAML or JSON, by layer name or pattern; what it leaves out is as in the "
       "options, and what neither gives a width stays in float"},
      {"weight-bits", Number<int>(Width())->value_name("BITS"),
       "all weights, in place of a plan; without it they stay in float"},
      {"activation-bits", Number<int>(Width())->value_name("BITS"), "all layer inputs, likewise"},
  });
  AddFormatOptions(line);
}

OfWhat OfAPlan() {
  return {{"plan"}, {"layer-config"}, {"weight-bits"}, {"activation-bits"}, {"weight-type"}, {"activation-type"}};
}

bool HasConfiguration(const CommandLine& line) {
  const bool planned = line.Has("plan") || line.Has("plan.json"), targeted = line.Has("target") && !planned;
  const bool typed = !line.IsDefault("weight-type") || !line.IsDefault("activation-type");
  const bool by_hand = line.Has("layer-config") || line.Has("weight-bits") || line.Has("activation-bits") ||
                       (typed && !planned && !targeted);
  if (by_hand || targeted) return by_hand;
  const auto refuse = [&](const char* option) {
    if (!line.IsDefault(option))
      throw Error(
          fmt::format("--{}: formats are the plan's to say; or give them by hand, with --weight-bits, "
                      "--activation-bits or --layer-config",
                      option));
  };
  std::for_each(kNumberOptions.begin(), kNumberOptions.end(), refuse);
  std::for_each(kRangeOptions.begin(), kRangeOptions.end(), refuse);
  return false;
}

namespace {

/// Of options of formats, those of weights or of activations alone.
std::vector<const char*> OptionsOf(const std::string& prefix) {
  std::vector<const char*> options;
  const auto collect = [&](const char* option) {
    const bool of_weights = option == std::string("narrow-range");
    if (std::string(option).starts_with(prefix + "-") || (of_weights && prefix == "weight")) options.push_back(option);
  };
  std::for_each(kNumberOptions.begin(), kNumberOptions.end(), collect);
  std::for_each(kRangeOptions.begin(), kRangeOptions.end(), collect);
  return options;
}

/// With the width that was asked for, by a number or by a type that has no other; float where none was.
Format AskedFor(const CommandLine& line, const std::string& prefix, Format format) {
  const std::string bits = prefix + "-bits", type = prefix + "-type";
  if (line.Has(bits)) return format.WithBits(line.Get<int>(bits));
  if (!line.IsDefault(type)) {
    format.bits = OnlyWidth(format.type);
    if (format.bits == 0)
      throw Error(fmt::format("--{} {}: of several widths; give --{}, too", type, ToString(format.type), bits));
    return format;
  }
  if (!line.Has("layer-config"))
    for (const char* const option : OptionsOf(prefix))
      if (!line.IsDefault(option))
        throw Error(
            fmt::format("--{}: without --{} these stay in float; give that, too, or leave this out", option, bits));
  return format.WithBits(32);
}

}  // namespace

Configuration ReadConfigurationOptions(const CommandLine& line) {
  const Formats formats = ReadFormats(line);
  const Configuration defaults{
      AskedFor(line, "weight", formats.weight), AskedFor(line, "activation", formats.activation), {}, {}};
  defaults.weight.Validate();
  defaults.activation.ValidateForActivations();
  return line.Has("layer-config") ? ReadConfiguration(line.Get<std::string>("layer-config"), defaults) : defaults;
}

std::string PlannedName(const CommandLine& line, const Plan& plan) {
  return HasConfiguration(line) ? WidthsOf(plan) : "planned";
}

}  // namespace bitplan::cli
