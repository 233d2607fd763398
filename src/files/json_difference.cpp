#include "json_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bitplan::files {

namespace {

using Json = nlohmann::ordered_json;

const Json* Find(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::string ValueText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string JsonDifference::InWords() const {
  std::string words = fmt::format("{}", fmt::join(path.rbegin(), path.rend(), " of "));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::optional<JsonDifference> FirstDifference(const Json& there, const Json& here) {
  if (there == here) return std::nullopt;
  if (!there.is_object() || !here.is_object()) return JsonDifference{{}, ValueText(there), ValueText(here)};
  for (const auto& [key, value] : here.items()) {
    const Json* other = Find(there, key);
    if (!other) return JsonDifference{{key}, "", ValueText(value)};
    if (std::optional<JsonDifference> inner = FirstDifference(*other, value)) {
      inner->path.insert(inner->path.begin(), key);
      return inner;
    }
  }
  for (const auto& [key, value] : there.items())
    if (!Find(here, key)) return JsonDifference{{key}, ValueText(value), ""};
  return std::nullopt;  // the same in another order
}

}  // namespace bitplan::files
