#include "plan/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "bitplan/error.h"
#include "bitplan/format.h"
#include "nesting.h"

namespace bitplan::plan {

namespace {

using nlohmann::json;

/// Refuses documents nested so deep that reading them would exhaust the stack, and keys that stand in an object twice.
json Parse(std::istream& in) {
  std::vector<std::set<std::string>> open_objects;
  return json::parse(in, [&](int depth, json::parse_event_t event, const json& parsed) {
    RefuseDeepNesting(depth);
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key && !open_objects.back().insert(parsed.get<std::string>()).second)
      throw Error(fmt::format("key '{}' stands twice in one object", parsed.get<std::string>()));
    return true;
  });
}

/// The parser's reason without its own error number, at a length that fits on a line or two.
std::string Reason(const json::exception& error) {
  constexpr std::size_t kLongest = 200;
  const std::string_view reason = error.what();
  const auto number = reason.find("] ");
  return std::string(reason.substr(number == std::string_view::npos ? 0 : number + 2, kLongest));
}

/// Appends the numbers of `value`; false when lists are of unequal length, not `axes` deep, or hold anything else.
bool Flatten(const json& value, std::size_t axis, std::size_t axes, NumberArray& array) {
  if (axis == axes) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return false;
    array.numbers.push_back(value.get<double>());
    return true;
  }
  if (!value.is_array()) return false;
  if (array.shape.size() == axis) array.shape.push_back(value.size());
  return array.shape[axis] == value.size() && std::all_of(value.begin(), value.end(), [&](const json& item) {
           return Flatten(item, axis + 1, axes, array);
         });
}

/// Nothing unless `value` is a list of strings.
std::optional<std::vector<std::string>> StringsOf(const json& value) {
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), [](const json& item) { return item.is_string(); }))
    return std::nullopt;
  return value.get<std::vector<std::string>>();
}

/// One that 64 bits with a sign hold.
bool IsInteger(const json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
  return value.is_number_integer();
}

}  // namespace

JsonReader JsonReader::Open(const std::filesystem::path& file, const std::string& schema) {
  const std::string name = file.string();
  std::ifstream in(file);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored))
    throw Error(fmt::format("{}: cannot be read; expected a {} file", name, schema));
  return Read(in, name, schema);
}

JsonReader JsonReader::FromText(const std::string& text, const std::string& name, const std::string& schema) {
  std::istringstream in(text);
  return Read(in, name, schema);
}

JsonReader JsonReader::Read(std::istream& in, const std::string& name, const std::string& schema) {
  std::shared_ptr<const json> root;
  try {
    root = std::make_shared<const json>(Parse(in));
  } catch (const json::exception& error) {
    throw Error(fmt::format("{}: not JSON ({}); expected a {} file", name, Reason(error), schema));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}; expected a {} file", name, error.what(), schema));
  }
  if (!root->is_object()) throw Error(fmt::format("{}: expected a JSON object with \"schema\": \"{}\"", name, schema));
  const json* const value = root.get();
  JsonReader reader(std::move(root), value, name, "");
  if (const json& found = reader.At("schema", fmt::format("\"{}\"", schema)); found != schema)
    reader.Fail("schema", fmt::format("\"{}\", not {}", schema, found.is_string() ? found.dump() : found.type_name()));
  return reader;
}

void JsonReader::Fail(const std::string& key, const std::string& expected) const {
  throw Error(fmt::format("{}: key '{}{}': expected {}", file_, path_, key, expected));
}

void JsonReader::Reject(const std::string& reason) const { throw Error(fmt::format("{}: {}{}", file_, path_, reason)); }

const json& JsonReader::At(const std::string& key, const std::string& expected) {
  read_.insert(key);
  const auto found = value_->find(key);
  if (found == value_->end())
    throw Error(fmt::format("{}: key '{}{}' is missing; expected {}", file_, path_, key, expected));
  return *found;
}

JsonReader JsonReader::Object(const std::string& key) {
  constexpr const char* kExpected = "an object";
  const json& value = At(key, kExpected);
  if (!value.is_object()) Fail(key, kExpected);
  return {root_, &value, file_, path_ + key + "."};
}

std::vector<JsonReader> JsonReader::Objects(const std::string& key) {
  constexpr const char* kExpected = "a list of objects";
  const json& value = At(key, kExpected);
  if (!value.is_array()) Fail(key, kExpected);
  std::vector<JsonReader> objects;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", key, i);
    if (!value[i].is_object()) Fail(item, "an object");
    objects.push_back(JsonReader(root_, &value[i], file_, path_ + item + "."));
  }
  return objects;
}

std::vector<std::string> JsonReader::Keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : value_->items()) keys.push_back(key);
  return keys;
}

std::vector<std::string> JsonReader::Strings(const std::string& key) {
  constexpr const char* kExpected = "a list of strings";
  auto strings = StringsOf(At(key, kExpected));
  if (!strings) Fail(key, kExpected);
  return std::move(*strings);
}

std::vector<std::vector<std::string>> JsonReader::StringLists(const std::string& key) {
  constexpr const char* kExpected = "a list of lists of strings";
  const json& value = At(key, kExpected);
  if (!value.is_array()) Fail(key, kExpected);
  std::vector<std::vector<std::string>> lists;
  for (const json& item : value) {
    auto strings = StringsOf(item);
    if (!strings) Fail(key, kExpected);
    lists.push_back(std::move(*strings));
  }
  return lists;
}

std::vector<double> JsonReader::Numbers(const std::string& key) {
  constexpr const char* kExpected = "a list of numbers";
  const json& value = At(key, kExpected);
  if (!value.is_array()) Fail(key, kExpected);
  std::vector<double> numbers;
  for (const json& item : value) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) Fail(key, "a list of finite numbers");
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

std::vector<std::int64_t> JsonReader::Integers(const std::string& key) {
  constexpr const char* kExpected = "a list of integers";
  const json& value = At(key, kExpected);
  if (!value.is_array()) Fail(key, kExpected);
  std::vector<std::int64_t> integers;
  for (const json& item : value) {
    if (!IsInteger(item)) Fail(key, kExpected);
    integers.push_back(item.get<std::int64_t>());
  }
  return integers;
}

NumberArray JsonReader::Array(const std::string& key, std::size_t axes) {
  const std::string expected = fmt::format("lists of finite numbers, {} deep, those of a level equally long", axes);
  NumberArray array;
  if (!Flatten(At(key, expected), 0, axes, array) || array.shape.size() != axes) Fail(key, expected);
  return array;
}

std::string JsonReader::String(const std::string& key) {
  constexpr const char* kExpected = "a string";
  const json& value = At(key, kExpected);
  if (!value.is_string()) Fail(key, kExpected);
  return value.get<std::string>();
}

bool JsonReader::Bool(const std::string& key) {
  constexpr const char* kExpected = "true or false";
  const json& value = At(key, kExpected);
  if (!value.is_boolean()) Fail(key, kExpected);
  return value.get<bool>();
}

double JsonReader::Number(const std::string& key, double least) {
  const std::string expected =
      std::isfinite(least) ? fmt::format("a finite number of at least {}", least) : "a finite number";
  const json& value = At(key, expected);
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < least) Fail(key, expected);
  return value.get<double>();
}

std::optional<double> JsonReader::NumberOrNull(const std::string& key) {
  if (IsNull(key)) return std::nullopt;
  return Number(key);
}

std::int64_t JsonReader::Integer(const std::string& key, std::int64_t least, std::int64_t most) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::string expected = "an integer";
  if (least > Limits::min()) expected += fmt::format(" of at least {}", least);
  if (most < Limits::max()) expected += fmt::format("{} at most {}", least > Limits::min() ? " and" : " of", most);
  const json& value = At(key, expected);
  if (!IsInteger(value)) Fail(key, expected);
  const auto number = value.get<std::int64_t>();
  if (number < least || number > most) Fail(key, expected);
  return number;
}

int JsonReader::Width(const std::string& key) {
  constexpr const char* kExpected = "a width: 1 to 8, 16 or 32";
  const json& value = At(key, kExpected);
  if (!value.is_number_integer() || !IsWidth(Integer(key))) Fail(key, kExpected);
  return value.get<int>();
}

std::uint64_t JsonReader::Unsigned(const std::string& key) {
  constexpr const char* kExpected = "an integer that is not negative";
  const json& value = At(key, kExpected);
  if (!value.is_number_unsigned()) Fail(key, kExpected);
  return value.get<std::uint64_t>();
}

std::map<std::string, double> JsonReader::NumberMap(const std::string& key) {
  constexpr const char* kExpected = "an object of numbers";
  const json& value = At(key, kExpected);
  if (!value.is_object()) Fail(key, kExpected);
  std::map<std::string, double> numbers;
  for (const auto& [name, number] : value.items()) {
    if (!number.is_number() || !std::isfinite(number.get<double>())) Fail(key + "." + name, "a finite number");
    numbers[name] = number.get<double>();
  }
  return numbers;
}

std::map<std::string, std::string> JsonReader::TextMap(const std::string& key) {
  constexpr const char* kExpected = "an object of texts";
  const json& value = At(key, kExpected);
  if (!value.is_object()) Fail(key, kExpected);
  std::map<std::string, std::string> texts;
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) Fail(key + "." + name, "a text");
    texts[name] = text.get<std::string>();
  }
  return texts;
}

void JsonReader::Finish() const {
  for (const auto& [key, value] : value_->items())
    if (!read_.contains(key)) throw Error(fmt::format("{}: unknown key '{}{}'", file_, path_, key));
}

}  // namespace bitplan::plan
