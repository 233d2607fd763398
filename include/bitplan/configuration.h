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

/// Formats by hand, in place of a search's. File form: `bitplan.configuration/1`, see docs/configuration.md.
struct Configuration {
  Format weight = DefaultWeightFormat(), activation = DefaultActivationFormat();  ///< of layers that no rule names
  std::vector<LayerRule> rules;  ///< of several that name a layer the first counts
  Corrections corrections;
};

/// Reads YAML, or JSON, which is YAML. What the file leaves out of the formats and corrections is as in `defaults`, in
/// a rule as in the file's own. Throws Error: not readable, not YAML, unknown keys, values out of range.
Configuration ReadConfiguration(const std::filesystem::path& file, const Configuration& defaults = {});

/// The plan that says so; layers whose input cannot be quantized keep it in float. Throws Error: a rule that names no
/// layer, an input that activations cannot have.
Plan MakeConfiguredPlan(const Network& network, const Configuration& configuration);

}  // namespace bitplan
