#pragma once

#include <string>

#include "bitplan/configuration.h"
#include "options.h"

namespace bitplan::cli {

/// Formats by hand, for commands that take a plan: --layer-config, --weight-bits, --activation-bits and the options of
/// formats.
void AddConfigurationOptions(CommandLine& line);

/// What options of measuring a plan are of: one, or formats by hand.
OfWhat OfAPlan();

/// Whether formats are given by hand. Throws Error where only what --weight-bits, --activation-bits or --layer-config
/// would make use of is given, or a --target without a plan.
bool HasConfiguration(const CommandLine& line);

Configuration ReadConfigurationOptions(const CommandLine& line);

/// What the row of a plan is called in a table: formats by hand are called by their widths.
std::string PlannedName(const CommandLine& line, const Plan& plan);

}  // namespace bitplan::cli
