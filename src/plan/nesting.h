#pragma once

#include <fmt/format.h>

#include "bitplan/error.h"

namespace bitplan::plan {

/// Refuses documents nested so deep that reading them would exhaust the stack; none of ours comes near.
inline void RefuseDeepNesting(int depth) {
  constexpr int kDeepest = 64;
  if (depth > kDeepest) throw Error(fmt::format("nested more than {} deep", kDeepest));
}

}  // namespace bitplan::plan
