#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::test {

/// The message of the Error that `action` throws. A missing Error fails the test; any other exception ends it.
template <typename Action>
std::string ErrorMessage(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << "more than one line: " << message;
    return message;
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

}  // namespace bitplan::test
