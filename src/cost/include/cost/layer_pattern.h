#pragma once

#include <fnmatch.h>

#include <cstddef>
#include <string>
#include <vector>

namespace bitplan::cost {

/// Positions of the layers that a pattern names: by exact name, else first and last, else by wildcard, else by
/// operator. A layer is anything with `name` and `op`.
template <typename NamedLayer>
std::vector<std::size_t> MatchingLayers(const std::vector<NamedLayer>& layers, const std::string& pattern) {
  std::vector<std::size_t> found;
  const auto collect = [&](const auto& matches) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (matches(layers[i])) found.push_back(i);
    return !found.empty();
  };
  if (collect([&](const NamedLayer& layer) { return layer.name == pattern; })) return found;
  if (!layers.empty() && pattern == "first") return {0};
  if (!layers.empty() && pattern == "last") return {layers.size() - 1};
  if (collect([&](const NamedLayer& layer) { return fnmatch(pattern.c_str(), layer.name.c_str(), 0) == 0; }))
    return found;
  collect([&](const NamedLayer& layer) { return layer.op == pattern; });
  return found;
}

}  // namespace bitplan::cost
