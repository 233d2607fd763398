#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace bitplan {

/// The numbers of make_reference.py.
inline const nlohmann::json& Reference() {
  static const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(std::filesystem::path(BITPLAN_TEST_DIR) / "statistics" / "reference.json"));
  return reference;
}

}  // namespace bitplan
