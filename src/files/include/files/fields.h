#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitplan::files {

using Json = nlohmann::ordered_json;

/// The members of an options struct: their names, and references to them. BITPLAN_FIELDS writes it.
template <typename Options>
struct Fields;

template <typename Options>
Json OptionsJson(const Options& options);

template <typename T>
constexpr bool kIsFunction = false;
template <typename Signature>
constexpr bool kIsFunction<std::function<Signature>> = true;
template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
constexpr bool kIsVector = false;
template <typename T>
constexpr bool kIsVector<std::vector<T>> = true;

/// A member's value: a number, a name of an enum (its ToString), a text, a list, a map, an options struct, null. Of a
/// function whether there is one.
template <typename T>
Json ValueJson(const T& value) {
  if constexpr (kIsFunction<T>) {
    return static_cast<bool>(value);
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(ToString(value));
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    return value.string();
  } else if constexpr (kIsOptional<T>) {
    return value ? ValueJson(*value) : Json();
  } else if constexpr (kIsVector<T>) {
    Json list = Json::array();
    for (const auto& each : value) list.push_back(ValueJson(each));
    return list;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_constructible_v<std::string, const T&> ||
                       std::is_same_v<T, std::map<std::string, std::string>>) {
    return value;
  } else if constexpr (requires { value.ToJson(); }) {
    return value.ToJson();
  } else {
    return OptionsJson(value);
  }
}

/// All members by their names, in the order of the struct. The one way from options to JSON: what a computation is of
/// (files/journal.h) and what a caller has set follow from it.
template <typename Options>
Json OptionsJson(const Options& options) {
  Json json = Json::object();
  std::string_view names = Fields<Options>::kNames;
  const auto add = [&](const auto& value) {
    const std::string_view name = names.substr(0, names.find(','));
    json[std::string(name)] = ValueJson(value);
    names.remove_prefix(name.size());
    names.remove_prefix(std::min(names.size(), names.find_first_not_of(", ")));
  };
  std::apply([&](const auto&... values) { (add(values), ...); }, Fields<Options>::Of(options));
  return json;
}

/// The same without some of them.
template <typename Options>
Json OptionsJson(const Options& options, std::initializer_list<const char*> without) {
  Json json = OptionsJson(options);
  for (const char* name : without) json.erase(name);
  return json;
}

}  // namespace bitplan::files

/// At file scope, the members of `Struct` in their order. One that is missing, as a new one is at first, does not
/// compile.
#define BITPLAN_FIELDS(Struct, ...)                     \
  template <>                                           \
  struct bitplan::files::Fields<Struct> {               \
    static constexpr const char* kNames = #__VA_ARGS__; \
    static auto Of(const Struct& options) {             \
      const auto& [__VA_ARGS__] = options;              \
      return std::tie(__VA_ARGS__);                     \
    }                                                   \
  }
