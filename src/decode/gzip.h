#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitplan::decode {

/// Whether the bytes begin as a gzip file does.
bool IsGzip(std::span<const std::uint8_t> bytes);

/// The contents of a gzip file (of one or several members), but at most `limit` bytes of them. Where it ends within the
/// limit, it is checked to its end: throws Error for a truncated or damaged file and for bytes after the last member.
std::vector<std::uint8_t> Gunzip(std::span<const std::uint8_t> bytes, const std::string& file, std::size_t limit);

}  // namespace bitplan::decode
