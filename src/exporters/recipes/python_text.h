#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace bitplan::exporters {

/// A literal of Python: JSON, but for its names of nothing and of truth.
std::string PythonText(const nlohmann::ordered_json& json);

}  // namespace bitplan::exporters
