#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bitplan::cli {

/// Columns of text under a header; numbers are aligned to the right. Widths are those that a terminal shows, not bytes.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bitplan::cli
