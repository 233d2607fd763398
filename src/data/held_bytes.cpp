#include "held_bytes.h"

#include <fmt/format.h>

#include <algorithm>

#include "process/memory_limit.h"

namespace bitplan::data {

void RequireRoom(const std::string& where, const std::string& why, std::int64_t bytes, std::int64_t memory_bytes) {
  if (memory_bytes == 0 || bytes <= memory_bytes) return;
  throw process::MemoryShort(fmt::format("{}, which cannot be read in pieces ({}),", where, why), memory_bytes, bytes,
                             true);
}

std::int64_t SmallBytes(std::int64_t memory_bytes) {
  constexpr std::int64_t kSmall = std::int64_t{256} << 20, kShare = 8;  // what is left is for passes
  return memory_bytes == 0 ? kSmall : std::min(kSmall, memory_bytes / kShare);
}

}  // namespace bitplan::data
