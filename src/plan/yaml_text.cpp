#include "yaml_text.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

#include "bitplan/error.h"
#include "nesting.h"

namespace bitplan::plan {

namespace {

using nlohmann::ordered_json;

template <typename Number>
bool IsNumber(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

ordered_json Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // in quotes
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t whole = 0;
  if (IsNumber(text, whole)) return whole;
  double number = 0;
  if (IsNumber(text, number)) return number;
  return text;
}

/// Follows aliases, each of which stands for all that it names: a few lines can stand for more than any memory holds.
class Converter {
 public:
  ordered_json Value(const YAML::Node& node, int depth) {
    constexpr std::int64_t kMostValues = 1'000'000;
    RefuseDeepNesting(depth);
    if (++values_ > kMostValues)
      throw Error(
          fmt::format("line {}: more than {} values by here, those counted anew that aliases (*name) stand for; "
                      "write fewer aliases of aliases",
                      node.Mark().line + 1, kMostValues));
    if (node.IsSequence()) {
      ordered_json list = ordered_json::array();
      for (const YAML::Node& item : node) list.push_back(Value(item, depth + 1));
      return list;
    }
    return node.IsMap() ? Map(node, depth) : node.IsScalar() ? Scalar(node) : ordered_json();
  }

 private:
  ordered_json Map(const YAML::Node& node, int depth) {
    ordered_json object = ordered_json::object();
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) throw Error(fmt::format("line {}: a key that is no text", key.Mark().line + 1));
      if (object.contains(key.Scalar()))
        throw Error(fmt::format("line {}: key '{}' stands twice in one object", key.Mark().line + 1, key.Scalar()));
      object[key.Scalar()] = Value(entry.second, depth + 1);
    }
    return object;
  }

  std::int64_t values_ = 0;
};

}  // namespace

std::string YamlFileAsJson(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    throw Error(fmt::format("{}: cannot be read; expected a YAML or JSON file", file.string()));
  try {
    return Converter().Value(YAML::LoadFile(file.string()), 0).dump();
  } catch (const YAML::BadFile&) {
    throw Error(fmt::format("{}: cannot be read; expected a YAML or JSON file", file.string()));
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}: not YAML (line {}: {})", file.string(), error.mark.line + 1, error.msg));
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{}: not UTF-8 text", file.string()));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace bitplan::plan
