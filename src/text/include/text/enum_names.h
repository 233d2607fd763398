#pragma once

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/names.h"

namespace bitplan::text {

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

template <typename Value, std::size_t N>
std::vector<std::string_view> AllOf(const Names<Value, N>& names) {
  std::vector<std::string_view> all;
  for (const auto& [value, name] : names) all.push_back(name);
  return all;
}

/// What has every value of the enumeration once, in its order from 0 on.
template <typename Value, std::size_t N>
constexpr bool InOrder(const Names<Value, N>& names) {
  for (std::size_t i = 0; i < N; ++i)
    if (static_cast<std::size_t>(names[i].first) != i) return false;
  return true;
}

/// Whether an enumerator stands for the value; of one that none does compilers write a cast, "= (bitplan::Loss)7".
template <auto value>
constexpr bool IsEnumerator() {
  return std::string_view(__PRETTY_FUNCTION__).find("= (") == std::string_view::npos;
}

/// InOrder, and no enumerator comes behind the last one.
template <const auto& names>
constexpr bool IsWhole() {
  using Value = std::remove_cv_t<decltype(names[0].first)>;
  return InOrder(names) && !IsEnumerator<static_cast<Value>(names.size())>();
}

}  // namespace bitplan::text

/// ToString, Parse and AllNames of an enum of bitplan/names.h, by its table; `what` it is, in words.
#define BITPLAN_ENUM_NAMES(Enum, table, what)                                                  \
  static_assert(::bitplan::text::IsWhole<table>(), "a value is missing, or not in its place"); \
  std::string_view ToString(Enum value) { return ::bitplan::text::NameOf(table, value); }      \
  template <>                                                                                  \
  Enum Parse<Enum>(std::string_view text) {                                                    \
    return ::bitplan::text::ValueOf(table, what, text);                                        \
  }                                                                                            \
  template <>                                                                                  \
  std::vector<std::string_view> AllNames<Enum>() {                                             \
    return ::bitplan::text::AllOf(table);                                                      \
  }
