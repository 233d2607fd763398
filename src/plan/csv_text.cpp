#include "csv_text.h"

#include <fmt/format.h>

#include <utility>

#include "bitplan/error.h"

namespace bitplan::plan {

namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

  std::vector<CsvRecord> Parse() {
    std::vector<CsvRecord> records;
    while (!rest_.empty()) {
      if (TakeLineEnd()) continue;  // an empty line
      CsvRecord record{{}, line_};
      do record.cells.push_back(TakeCell());
      while (Take(","));
      records.push_back(std::move(record));
      TakeLineEnd();
    }
    return records;
  }

 private:
  bool Take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  bool TakeLineEnd() {
    const bool taken = Take("\n") || Take("\r\n") || (rest_ == "\r" && Take("\r"));
    if (taken) ++line_;
    return taken;
  }

  bool AtCellEnd() const {
    return rest_.empty() || rest_ == "\r" || rest_.starts_with(',') || rest_.starts_with('\n') ||
           rest_.starts_with("\r\n");
  }

  char TakeCharacter() {
    const char character = rest_.front();
    if (character == '\n') ++line_;
    rest_.remove_prefix(1);
    return character;
  }

  std::string TakeCell() {
    if (Take("\"")) return TakeQuoted();
    std::string cell;
    while (!AtCellEnd()) cell += TakeCharacter();
    return cell;
  }

  std::string TakeQuoted() {
    const std::int64_t line = line_;
    std::string cell;
    while (!rest_.empty()) {
      if (Take("\"\"")) {
        cell += '"';
      } else if (!Take("\"")) {
        cell += TakeCharacter();
      } else if (AtCellEnd()) {
        return cell;
      } else {
        throw Error(fmt::format(
            "{}:{}: a quote is closed before the end of its cell; a quote within one is doubled: \"\"", file_, line_));
      }
    }
    throw Error(fmt::format("{}:{}: a quote is opened here and never closed", file_, line));
  }

  std::string_view rest_;
  const std::string& file_;
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> ParseCsv(std::string_view text, const std::string& file) {
  return CsvParser(text, file).Parse();
}

}  // namespace bitplan::plan
