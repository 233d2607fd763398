#pragma once

#include <functional>
#include <string>

#include "bitplan/error.h"

namespace bitplan {

/// What the Error says that `call` throws.
inline std::string MessageOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace bitplan
