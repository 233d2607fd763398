#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/spec.h"
#include "stored_tensor.h"

namespace bitplan::data {

/// Inputs and labels of data files, unchecked but for being there.
struct StoredSamples {
  std::vector<StoredTensor> inputs;  ///< at least one
  std::optional<StoredTensor> labels;
};

/// `input_names`: as DataOptions has them. `memory_bytes`: what may be held of files that cannot be read in pieces, 0
/// without a limit. Throws Error: as the decoders do, none or several labels where one is expected, some of the names
/// but not all; MemoryShort, before it is read, where such a file takes more.
StoredSamples OpenSamples(const Spec& spec, const std::vector<std::string>& input_names, std::int64_t memory_bytes);

}  // namespace bitplan::data
