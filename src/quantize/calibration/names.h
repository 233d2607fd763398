#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "bitplan/error.h"

namespace bitplan {

/// The names that the values of an enumeration have in files and on the command line.
template <typename Value, std::size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

template <typename Value, std::size_t N>
std::string_view NameOf(const Names<Value, N>& names, Value value) {
  for (const auto& [each, name] : names)
    if (each == value) return name;
  return "unknown";
}

/// Throws Error listing the names.
template <typename Value, std::size_t N>
Value ValueOf(const Names<Value, N>& names, std::string_view what, std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  throw Error(fmt::format("unknown {} '{}'; expected one of {}", what, text, known));
}

}  // namespace bitplan
