#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan::plan {

/// One record of a table in CSV, and the line on which it begins, from 1.
struct CsvRecord {
  std::vector<std::string> cells;
  std::int64_t line = 1;
};

/// All records of a CSV text (RFC 4180, what ToCsv writes): a cell in quotes holds commas, line ends and, doubled,
/// quotes. Lines end with \n or \r\n; empty ones are skipped. Throws Error naming `file` and the line where a quote is
/// not closed, or is closed before the end of its cell.
std::vector<CsvRecord> ParseCsv(std::string_view text, const std::string& file);

}  // namespace bitplan::plan
