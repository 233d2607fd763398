#include "plan/json_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "bitplan/error.h"

namespace bitplan {

namespace {

/// Refuses documents nested so deep that reading them would exhaust the stack.
Json Parse(std::istream& in) {
  constexpr int kDeepest = 64;
  return Json::parse(in, [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw Error("it is nested too deeply");
    return true;
  });
}

}  // namespace

JsonReader JsonReader::Open(const std::filesystem::path& file, const std::string& schema) {
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) throw Error(fmt::format("{}: cannot be read; expected a {} file", file.string(), schema));
  std::shared_ptr<const Json> root;
  try {
    root = std::make_shared<const Json>(Parse(in));
  } catch (const Json::exception& error) {
    const std::string reason = error.what();
    throw Error(fmt::format("{}: not JSON ({}); expected a {} file", file.string(), reason.substr(reason.find("] ") + 2), schema));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}; expected a {} file", file.string(), error.what(), schema));
  }
  if (!root->is_object()) throw Error(fmt::format("{}: expected a JSON object with \"schema\": \"{}\"", file.string(), schema));
  const Json* const value = root.get();
  JsonReader reader(std::move(root), value, file.string(), "");
  if (const std::string found = reader.String("schema"); found != schema)
    reader.Fail("schema", fmt::format("\"{}\", not \"{}\"", schema, found));
  return reader;
}

void JsonReader::Fail(const std::string& key, const std::string& expected) const {
  throw Error(fmt::format("{}: key '{}{}': expected {}", file_, path_, key, expected));
}

const Json& JsonReader::At(const std::string& key) {
  read_.insert(key);
  const auto found = value_->find(key);
  if (found == value_->end()) throw Error(fmt::format("{}: key '{}{}' is missing", file_, path_, key));
  return *found;
}

JsonReader JsonReader::Object(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_object()) Fail(key, "an object");
  return {root_, &value, file_, path_ + key + "."};
}

std::vector<JsonReader> JsonReader::Objects(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_array()) Fail(key, "a list of objects");
  std::vector<JsonReader> objects;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", key, i);
    if (!value[i].is_object()) Fail(item, "an object");
    objects.push_back(JsonReader(root_, &value[i], file_, path_ + item + "."));
  }
  return objects;
}

std::vector<std::string> JsonReader::Strings(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_array()) Fail(key, "a list of strings");
  std::vector<std::string> strings;
  for (const Json& item : value) {
    if (!item.is_string()) Fail(key, "a list of strings");
    strings.push_back(item.get<std::string>());
  }
  return strings;
}

std::vector<double> JsonReader::Numbers(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_array()) Fail(key, "a list of numbers");
  std::vector<double> numbers;
  for (const Json& item : value) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) Fail(key, "a list of finite numbers");
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

std::string JsonReader::String(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_string()) Fail(key, "a string");
  return value.get<std::string>();
}

bool JsonReader::Bool(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_boolean()) Fail(key, "true or false");
  return value.get<bool>();
}

double JsonReader::Number(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) Fail(key, "a finite number");
  return value.get<double>();
}

std::optional<double> JsonReader::NumberOrNull(const std::string& key) {
  if (At(key).is_null()) return std::nullopt;
  return Number(key);
}

std::int64_t JsonReader::Integer(const std::string& key) {
  const Json& value = At(key);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost)) Fail(key, "an integer");
  return value.get<std::int64_t>();
}

std::uint64_t JsonReader::Unsigned(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_number_unsigned()) Fail(key, "an integer that is not negative");
  return value.get<std::uint64_t>();
}

std::map<std::string, double> JsonReader::NumberMap(const std::string& key) {
  const Json& value = At(key);
  if (!value.is_object()) Fail(key, "an object of numbers");
  std::map<std::string, double> numbers;
  for (const auto& [name, number] : value.items()) {
    if (!number.is_number() || !std::isfinite(number.get<double>())) Fail(key + "." + name, "a finite number");
    numbers[name] = number.get<double>();
  }
  return numbers;
}

void JsonReader::Finish() const {
  for (const auto& [key, value] : value_->items())
    if (!read_.contains(key)) throw Error(fmt::format("{}: unknown key '{}{}'", file_, path_, key));
}

}  // namespace bitplan
