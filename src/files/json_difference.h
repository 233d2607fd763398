#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bitplan::files {

/// As messages have it: texts without quotes, 1 for 1.0.
std::string ValueText(const nlohmann::ordered_json& value);

/// Where two objects differ.
struct JsonDifference {
  std::vector<std::string> path;  ///< keys from the outside in
  std::string there, here;        ///< the values as text; empty where there is none

  /// The keys from the inside out, in words: "tolerance of eigen".
  std::string InWords() const;
};

/// The first difference in the order of `here`; lists are compared as wholes.
std::optional<JsonDifference> FirstDifference(const nlohmann::ordered_json& there, const nlohmann::ordered_json& here);

}  // namespace bitplan::files
