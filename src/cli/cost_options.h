#pragma once

#include <string>
#include <vector>

#include "bitplan/cost_table.h"
#include "options.h"

namespace bitplan::cli {

/// --costs: tables of costs from files, given to the search beside those that need none.
void AddCostOptions(CommandLine& line);

/// The tables, for a model with these layers. Throws Error naming the file.
std::vector<CostTable> ReadCostOptions(const CommandLine& line, const std::vector<std::string>& layers);

/// Names of anything's layers.
template <typename NamedLayer>
std::vector<std::string> NamesOf(const std::vector<NamedLayer>& layers) {
  std::vector<std::string> names;
  for (const NamedLayer& layer : layers) names.push_back(layer.name);
  return names;
}

}  // namespace bitplan::cli
