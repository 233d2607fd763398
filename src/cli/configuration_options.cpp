#include "cli/configuration_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"

namespace bitplan::cli {

void AddConfigurationOptions(CommandLine& line) {
  line.Add()("layer-config", po::value<std::string>()->value_name("FILE"),
             "formats by hand in place of a plan: YAML or JSON, by layer name or pattern; what it leaves out is as in "
             "the options")("weight-bits", po::value<int>()->value_name("BITS"),
                            "all weights, in place of a plan; default where others of these are given: 8")(
      "activation-bits", po::value<int>()->value_name("BITS"), "all layer inputs, likewise; 32 leaves them in float");
  AddFormatOptions(line);
}

bool HasConfiguration(const CommandLine& line) {
  const bool by_hand = line.Has("layer-config") || line.Has("weight-bits") || line.Has("activation-bits");
  if (by_hand || (line.Has("target") && !line.Has("plan") && !line.Has("plan.json"))) return by_hand;
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

Configuration ReadConfigurationOptions(const CommandLine& line) {
  const Formats formats = ReadFormats(line);
  Configuration defaults{formats.weight, formats.activation, {}, {}};
  if (line.Has("weight-bits")) defaults.weight = defaults.weight.WithBits(line.Get<int>("weight-bits"));
  if (line.Has("activation-bits")) defaults.activation = defaults.activation.WithBits(line.Get<int>("activation-bits"));
  defaults.weight.Validate();
  defaults.activation.ValidateForActivations();
  return line.Has("layer-config") ? ReadConfiguration(line.Get<std::string>("layer-config"), defaults) : defaults;
}

}  // namespace bitplan::cli
