#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bitplan::plan {

/// Numbers with axes, row-major.
struct NumberArray {
  std::vector<std::size_t> shape;
  std::vector<double> numbers;
};

/// An object of a JSON file that is read key by key. Every failure is an Error that names file, key and what was
/// expected.
class JsonReader {
 public:
  /// Reads a file that holds one object of the given schema, e.g. "bitplan.plan/1".
  static JsonReader Open(const std::filesystem::path& file, const std::string& schema);

  /// The same from a text that errors call `name`.
  static JsonReader FromText(const std::string& text, const std::string& name, const std::string& schema);

  JsonReader Object(const std::string& key);
  std::vector<JsonReader> Objects(const std::string& key);
  std::vector<std::string> Strings(const std::string& key);
  std::vector<std::vector<std::string>> StringLists(const std::string& key);
  std::vector<double> Numbers(const std::string& key);
  std::vector<std::int64_t> Integers(const std::string& key);
  std::string String(const std::string& key);
  bool Bool(const std::string& key);
  double Number(const std::string& key, double least = -std::numeric_limits<double>::infinity());  ///< finite
  std::optional<double> NumberOrNull(const std::string& key);
  std::int64_t Integer(const std::string& key, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max());
  int Width(const std::string& key);  ///< bits: 1 … 8, 16 or 32
  std::uint64_t Unsigned(const std::string& key);
  std::map<std::string, double> NumberMap(const std::string& key);
  std::map<std::string, std::string> TextMap(const std::string& key);
  NumberArray Array(const std::string& key, std::size_t axes);  ///< nested lists of finite numbers
  bool IsString(const std::string& key) { return At(key, "a value").is_string(); }
  bool IsNull(const std::string& key) { return At(key, "a value or null").is_null(); }
  bool Has(const std::string& key) const { return value_->contains(key); }
  std::vector<std::string> Keys() const;  ///< of the object, sorted
  void Ignore(const std::string& key) { read_.insert(key); }

  /// Throws Error when the object has a key that was not asked for.
  void Finish() const;

  /// Throws an Error about the value at `key`.
  [[noreturn]] void Fail(const std::string& key, const std::string& expected) const;

  /// Throws an Error about the object itself; `reason` begins with a key of it.
  [[noreturn]] void Reject(const std::string& reason) const;

 private:
  JsonReader(std::shared_ptr<const nlohmann::json> root, const nlohmann::json* value, std::string file,
             std::string path)
      : root_(std::move(root)), value_(value), file_(std::move(file)), path_(std::move(path)) {}

  static JsonReader Read(std::istream& in, const std::string& name, const std::string& schema);
  const nlohmann::json& At(const std::string& key, const std::string& expected);

  std::shared_ptr<const nlohmann::json> root_;  // keeps `value_` alive
  const nlohmann::json* value_;
  std::string file_, path_;
  std::set<std::string> read_;
};

}  // namespace bitplan::plan
