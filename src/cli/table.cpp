#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace bitplan::cli {

namespace {

bool IsNumeric(const std::string& text) {
  return !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) || text[0] == '-' || text[0] == '+') &&
         text.find_first_not_of("0123456789.,%+-eE ") == std::string::npos;
}

/// Of a terminal, as fmt counts them when it pads: "±" is two bytes and one column.
std::size_t Columns(const std::string& text) {
  const std::size_t padding = fmt::format("{:<{}}", text, text.size()).size() - text.size();
  return text.size() - padding;
}

}  // namespace

std::string Table::Text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  std::string text;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows_[r].size(); ++i) {
      const bool right = rows_.size() > 1 && IsNumeric(rows_[r == 0 ? 1 : r][i]);
      line += right ? fmt::format("{:>{}}", rows_[r][i], widths[i]) : fmt::format("{:<{}}", rows_[r][i], widths[i]);
      if (i + 1 < rows_[r].size()) line += "  ";
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace bitplan::cli
