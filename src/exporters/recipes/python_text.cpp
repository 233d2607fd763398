#include "recipes/python_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

namespace bitplan::exporters {

std::string PythonText(const nlohmann::ordered_json& json) {
  if (json.is_null()) return "None";
  if (json.is_boolean()) return json.get<bool>() ? "True" : "False";
  if (!json.is_structured()) return json.dump();
  std::vector<std::string> items;
  for (const auto& [key, value] : json.items())
    items.push_back(json.is_object() ? fmt::format("{}: {}", nlohmann::json(key).dump(), PythonText(value))
                                     : PythonText(value));
  return json.is_object() ? fmt::format("{{{}}}", fmt::join(items, ", ")) : fmt::format("[{}]", fmt::join(items, ", "));
}

}  // namespace bitplan::exporters
