#pragma once

#include <cstdint>

namespace bitplan {

/// What bounds the samples that a pass over data takes at a time.
struct PassLimits {
  /// Implicitly, so that a number of samples can stand for all of it.
  PassLimits(std::int64_t batch = 128, std::int64_t memory = std::int64_t{2} << 30)
      : batch_size(batch), memory_bytes(memory) {}

  /// What is left beside `held` bytes; at least 1.
  PassLimits Beside(std::int64_t held) const {
    return {batch_size, memory_bytes > held ? memory_bytes - held : std::int64_t{1}};
  }

  std::int64_t batch_size;  ///< samples at the most, ≥ 1
  /// What may be held at a time on top of the float network and the data, > 0. Where a batch takes more, it is taken in
  /// parts; where one sample does, Error says the least that would do.
  std::int64_t memory_bytes;
};

}  // namespace bitplan
