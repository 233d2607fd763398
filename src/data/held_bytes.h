#pragma once

#include <cstdint>
#include <string>

namespace bitplan::data {

/// Throws MemoryShort, naming the data, where what has to be held in memory, since `why`, takes more than the limit
/// leaves; 0: there is no limit.
void RequireRoom(const std::string& where, const std::string& why, std::int64_t bytes, std::int64_t memory_bytes);

/// Samples that take no more than this are held even where they could be read from their file time and again.
std::int64_t SmallBytes(std::int64_t memory_bytes);

}  // namespace bitplan::data
