#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bitplan::files {

/// What a long computation is of.
struct JournalSubject {
  std::string kind;  ///< "an analysis", for messages
  std::string json;  ///< an object of all that must be the same for its steps to be used again; see files/fields.h
};

/// What the numbers of a step are.
enum class StepType : char { Bytes = 'b', Int64 = 'i', Float32 = 'f', Float64 = 'd' };

template <typename T>
constexpr StepType StepTypeOf() {
  if constexpr (std::is_same_v<T, double>)
    return StepType::Float64;
  else if constexpr (std::is_same_v<T, float>)
    return StepType::Float32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return StepType::Int64;
  else
    static_assert(std::is_same_v<T, char>, "a step is of double, float, std::int64_t or char");
  return StepType::Bytes;
}

/// Some steps that belong together.
class JournalSteps {
 public:
  template <typename T>
  void Add(const std::string& step, const std::vector<T>& values) {
    Add(step, StepTypeOf<T>(), values.data(), values.size() * sizeof(T));
  }
  void Add(const std::string& step, StepType type, const void* bytes, std::size_t size) {
    steps_.push_back({step, type, {static_cast<const char*>(bytes), size}});
  }

 private:
  friend class Journal;
  struct Step {
    std::string name;
    StepType type;
    std::string payload;
  };
  std::vector<Step> steps_;
};

/// The checkpoint of a long computation: a file that holds what the computation is of, and results of its finished
/// steps. Either steps are only ever appended (an analysis): what breaks off between two goes on from the last one, and
/// one that was not finished is dropped. Or all are replaced at once by what the computation has come to (training, an
/// agent), and are there whole or not at all.
///
/// The file: the line "bitplan.checkpoint/1"; a line of JSON, {"kind", "whole": how many steps were written at once,
/// "of": the subject's object}; a line with its CRC-32 in hexadecimal. Then a record each step: sizes of name and
/// payload (64 bits each), StepType, name, payload, CRC-32 of all these; numbers in the byte order of the machine.
class Journal {
 public:
  Journal() = default;  ///< keeps nothing

  /// Opens `file` where it is there; else it is made with the first step. Without a name it keeps nothing. Throws Error
  /// when it cannot be written, is no checkpoint of this kind, is of another subject (naming what differs), or is
  /// damaged: overwritten, or cut off within steps that were written at once.
  Journal(std::filesystem::path file, const JournalSubject& subject);

  bool empty() const { return records_.empty(); }  ///< no step is there
  bool Has(const std::string& step) const { return records_.contains(step); }
  std::vector<std::string> steps() const;                      ///< names of those that are there, ascending
  const std::filesystem::path& file() const { return file_; }  ///< empty: keeps nothing

  /// The `count` numbers of a step; nothing when it is not there. Throws Error when it has others, or as many not.
  template <typename T>
  std::optional<std::vector<T>> Find(const std::string& step, std::size_t count) const {
    return Values<T>(step, count, count);
  }

  /// The numbers of a step that must be there, any number of rows of so many columns.
  template <typename T>
  std::vector<T> Rows(const std::string& step, std::size_t columns) const {
    std::optional<std::vector<T>> values = Values<T>(step, columns, std::nullopt);
    if (!values) RefuseMissing(step);
    return *values;
  }

  /// The numbers of a step that must be there.
  template <typename T>
  std::vector<T> Get(const std::string& step, std::size_t count) const {
    std::optional<std::vector<T>> values = Find<T>(step, count);
    if (!values) RefuseMissing(step);
    return *values;
  }

  /// The bytes of numbers into `bytes`, `size` of them, of a step that must be there.
  void Read(const std::string& step, StepType type, void* bytes, std::size_t size) const;

  /// Appends a step. Throws Error when it cannot be written.
  template <typename T>
  void Add(const std::string& step, const std::vector<T>& values) {
    if (!file_.empty())
      Append(step, StepTypeOf<T>(), {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }

  /// Puts `steps` in the place of all there are; the file is the old or the new one, also if the machine stops. Throws
  /// Error when it cannot be written.
  void Replace(const JournalSteps& steps);

  /// Throws an Error that the file is damaged, since `what`.
  [[noreturn]] void RefuseDamaged(const std::string& what) const;

 private:
  struct Record {
    StepType type;
    std::uint64_t begin, size;  // of the payload in the file
  };

  template <typename T>
  std::optional<std::vector<T>> Values(const std::string& step, std::size_t columns,
                                       std::optional<std::size_t> count) const {
    const auto record = records_.find(step);
    if (record == records_.end()) return std::nullopt;
    const std::size_t size = record->second.size;
    if (size % sizeof(T) != 0 || (columns > 0 && size / sizeof(T) % columns != 0) ||
        (count && size != *count * sizeof(T)))
      RefuseDamaged(step);
    std::vector<T> values(size / sizeof(T));
    Read(step, StepTypeOf<T>(), values.data(), size);
    return values;
  }

  std::string Header(std::size_t whole) const;
  std::uint64_t CheckHeader() const;  // returns how many steps must be whole
  void Index(std::uint64_t whole);    // finds the records and cuts off what follows the last whole one
  void Append(const std::string& step, StepType type, std::string_view payload);
  [[noreturn]] void Refuse(const std::string& why) const;
  [[noreturn]] void RefuseMissing(const std::string& step) const;

  std::filesystem::path file_;  // empty: keeps nothing
  JournalSubject subject_;
  std::map<std::string, Record> records_;
};

}  // namespace bitplan::files
