#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/plot.h"

namespace bitplan {

namespace {

std::string Quoted(const std::string& text, bool alone) {
  const bool blank_ends = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  const bool empty_line = alone && text.empty();  // readers skip those
  if (text.find_first_of(",\"\r\n") == std::string::npos && !blank_ends && !empty_line) return text;
  std::string quoted = "\"";
  for (const char each : text) quoted.append(each == '"' ? 2 : 1, each);
  return quoted + '"';
}

std::string CellText(const Cell& cell, bool alone) {
  if (const auto* text = std::get_if<std::string>(&cell)) return Quoted(*text, alone);
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *integer);
  return fmt::format("{}", std::get<double>(cell));
}

std::string Record(const std::vector<Cell>& cells) {
  std::vector<std::string> texts;
  for (const Cell& cell : cells) texts.push_back(CellText(cell, cells.size() == 1));
  return fmt::format("{}\n", fmt::join(texts, ","));
}

}  // namespace

std::string ToCsv(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows) {
  if (header.empty()) throw Error("table: there are no columns");
  std::string text = Record({header.begin(), header.end()});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].size() != header.size())
      throw Error(
          fmt::format("table: row {} has {} cells; expected {}, as many as columns", r, rows[r].size(), header.size()));
    text += Record(rows[r]);
  }
  return text;
}

}  // namespace bitplan
