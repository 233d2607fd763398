#pragma once

#include <stdexcept>

namespace bitplan {

/// Bad input: the message says what is wrong, where, and what would be right. Nothing else crosses the public API on
/// bad input.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace bitplan
