#pragma once

#include <filesystem>
#include <string>

namespace bitplan::plan {

/// A YAML file as JSON text, its numbers, booleans and nulls told from texts as in YAML 1.2's core schema. Throws Error
/// naming the file: not readable, not YAML, a key that stands twice or is no text, aliases that stand for more than a
/// million values.
std::string YamlFileAsJson(const std::filesystem::path& file);

}  // namespace bitplan::plan
