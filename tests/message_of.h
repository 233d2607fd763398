#pragma once

#include <functional>
#include <string>

#include "bitplan/error.h"

namespace bitplan {

/// What the Error says that `call` throws; "no error" where it throws none. Other exceptions fail the test.
inline std::string MessageOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace bitplan
