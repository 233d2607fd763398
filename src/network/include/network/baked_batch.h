#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// What a file tells of the number of samples that its graph was made for.
struct BakedBatch {
  std::optional<std::int64_t> traced;  ///< of the example that it was traced with, where that is known
  /// Numbers that stand in the graph where a size along the samples' axis may stand: leading sizes of views, expansions
  /// and tensors that are made, items that are taken from the first axis.
  std::set<std::int64_t> sizes;

  /// Whether the graph holds a size that is of `batch` samples.
  bool HasSizeOf(std::int64_t batch) const;
};

BakedBatch FindBakedBatch(const LoweredGraph& lowered);

}  // namespace bitplan::network
