#pragma once

#include <cstdint>
#include <vector>

namespace bitplan::data {

/// `count` different numbers of 0 … total−1, in random order: the first ones of a Fisher-Yates shuffle by mt19937_64.
/// The same on every platform, and a smaller count draws a prefix of a larger one's. Needs 0 ≤ count ≤ total.
std::vector<std::int64_t> DrawSamples(std::int64_t total, std::int64_t count, std::uint64_t seed);

}  // namespace bitplan::data
