#pragma once

#include <gmock/gmock.h>

#include "bitplan/error.h"

namespace bitplan {

/// An Error of one line whose message has each of these parts.
template <typename... Parts>
auto OneLineError(const Parts&... parts) {
  return ::testing::ThrowsMessage<Error>(
      ::testing::AllOf(::testing::Not(::testing::HasSubstr("\n")), ::testing::HasSubstr(parts)...));
}

}  // namespace bitplan
