#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bitplan::test {

/// A file that make_fixtures.py wrote.
inline std::filesystem::path FixturePath(const std::string& name) {
  return std::filesystem::path(BITPLAN_TEST_DIR) / "data" / "fixtures" / name;
}

inline std::vector<std::uint8_t> FileBytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline std::vector<std::uint8_t> FixtureBytes(const std::string& name) { return FileBytes(FixturePath(name)); }

/// What Python says that the files hold, by file name.
inline const nlohmann::json& Expected() {
  static const nlohmann::json expected = nlohmann::json::parse(std::ifstream(FixturePath("expected.json")));
  return expected;
}

}  // namespace bitplan::test
