#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/data.h"

namespace bitplan::data {

/// The numbers of the samples, of `size`, that the options draw; nothing where they take all, in their order. Throws
/// Error naming the data where there are fewer than asked for.
std::optional<std::vector<std::int64_t>> DrawnNumbers(std::int64_t size, const std::string& name,
                                                      const DataOptions& options);

}  // namespace bitplan::data
