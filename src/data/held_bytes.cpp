#include "held_bytes.h"

#include <fmt/format.h>

#include <algorithm>

#include "process/memory_limit.h"
#include "tuning.h"

namespace bitplan::data {

void RequireRoom(const std::string& where, const std::string& why, std::int64_t bytes, std::int64_t memory_bytes) {
  if (memory_bytes == 0 || bytes <= memory_bytes) return;
  throw process::MemoryShort(fmt::format("{}, which cannot be read in pieces ({}),", where, why), memory_bytes, bytes,
                             true);
}

std::int64_t SmallBytes(std::int64_t memory_bytes) {
  return memory_bytes == 0 ? tuning::kSmallBytes : std::min(tuning::kSmallBytes, memory_bytes / tuning::kSmallShare);
}

}  // namespace bitplan::data
