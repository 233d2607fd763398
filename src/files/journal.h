#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitplan {

/// What a long computation is of: names and values that must be the same for its steps to be used again.
using JournalSubject = std::vector<std::pair<std::string, std::string>>;

/// Results of the finished steps of a long computation, in a file that is only ever appended to: what breaks off
/// between two steps can go on from the last one, and a record that was not finished is dropped.
class Journal {
 public:
  Journal() = default;  ///< keeps nothing

  /// Opens `file` where it is there; else it is made with the first step. Throws Error when it cannot be written, is no
  /// journal, or is of another subject (naming what differs).
  Journal(std::filesystem::path file, const JournalSubject& subject);

  /// The numbers of a step; nothing when it is not there.
  template <typename T>
  std::optional<std::vector<T>> Find(const std::string& step) const {
    static_assert(std::is_arithmetic_v<T>);
    const std::optional<std::string> bytes = Read(step);
    if (!bytes) return std::nullopt;
    std::vector<T> values(bytes->size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes->data(), values.size() * sizeof(T));
    return values;
  }

  /// Appends a step. Throws Error when it cannot be written.
  template <typename T>
  void Add(const std::string& step, const std::vector<T>& values) {
    static_assert(std::is_arithmetic_v<T>);
    Append(step, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }

 private:
  struct Record {
    std::uint64_t begin = 0, size = 0;  // of the payload in the file
  };

  void Index();  // finds the records and cuts off what follows the last whole one
  std::optional<std::string> Read(const std::string& step) const;
  void Append(const std::string& step, std::string_view payload);

  std::filesystem::path file_;  // empty: keeps nothing
  std::string header_;          // before the first record
  std::map<std::string, Record> records_;
};

}  // namespace bitplan
