#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/corrections.h"
#include "bitplan/format.h"
#include "bitplan/plan.h"

namespace bitplan {

class Network;

/// The formats of the layers that a pattern names.
struct LayerRule {
  std::string layers;  ///< as in Pin: a name, first, last, a wildcard pattern or an operator
  Format weight, activation;
};

/// Formats by hand, in place of a search's; what is not asked for stays in float. File form: `bitplan.configuration/1`,
/// see docs/configuration.md.
struct Configuration {
  /// Of layers that no rule names.
  Format weight = DefaultWeightFormat().WithBits(32), activation = DefaultActivationFormat().WithBits(32);
  std::vector<LayerRule> rules;  ///< of several that name a layer the first counts
  Corrections corrections;
};

/// Reads YAML, or JSON, which is YAML. What the file leaves out of the formats and corrections is as in `defaults`, in
/// a rule as in the file's own; a number type with a single width brings that. Throws Error: not readable, not YAML,
/// aliases that stand for more than a million values, unknown keys, values out of range, a format without a width.
Configuration ReadConfiguration(const std::filesystem::path& file, const Configuration& defaults = {});

/// The plan that says so; layers whose input cannot be quantized keep it in float. Throws Error: a rule that names no
/// layer, or only layers that earlier rules name, and formats that activations cannot have.
Plan MakeConfiguredPlan(const Network& network, const Configuration& configuration);

}  // namespace bitplan
