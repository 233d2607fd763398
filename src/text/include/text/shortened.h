#pragma once

#include <cstddef>
#include <string>

namespace bitplan::text {

/// Names with commas between them, for a message: of many the first few, and how many more there are.
template <typename Names>
std::string Shortened(const Names& names, std::size_t most = 8) {
  std::string text;
  std::size_t count = 0, shown = 0;
  for ([[maybe_unused]] const auto& name : names) ++count;
  const std::size_t show = count <= most ? count : most - 1;  // "and 1 more" is as long as the name
  for (const auto& name : names) {
    if (shown == show) break;
    if (shown++ > 0) text += ", ";
    text += name;
  }
  return show == count ? text : text + " and " + std::to_string(count - show) + " more";
}

}  // namespace bitplan::text
