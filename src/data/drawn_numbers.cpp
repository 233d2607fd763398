#include "drawn_numbers.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "data/draw.h"
#include "decode/array.h"

namespace bitplan::data {

std::optional<std::vector<std::int64_t>> DrawnNumbers(std::int64_t size, const std::string& name,
                                                      const DataOptions& options) {
  if (options.samples > size && !options.fewer_allowed) {
    throw Error(fmt::format("{}: {} samples were asked for, and it has {}", name,
                            decode::Grouped(static_cast<std::uint64_t>(options.samples)),
                            decode::Grouped(static_cast<std::uint64_t>(size))));
  }
  if (options.samples == 0) return std::nullopt;
  return DrawSamples(size, std::min(options.samples, size), options.seed);
}

}  // namespace bitplan::data
