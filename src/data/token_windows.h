#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitplan::data {

/// Windows of tokens: `context` of them, one window behind the other, each with a token after it in its row.
class TokenWindows {
 public:
  /// `shape` of the tokens: rows along the last axis. `context` ≥ 0; 0: all of a row but its last. Throws Error, naming
  /// `where`: a single number, no context for a single stream, a row too short for a window and the token after it.
  TokenWindows(const std::vector<std::int64_t>& shape, std::int64_t context, const std::string& where);

  std::int64_t size() const { return rows_ * in_row_; }
  std::int64_t context() const { return context_; }

  /// Place of a window's first token among all.
  std::int64_t First(std::int64_t window) const;

 private:
  std::int64_t rows_ = 1, row_ = 0, context_ = 0, in_row_ = 0;
};

}  // namespace bitplan::data
