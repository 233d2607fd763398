#pragma once

#include <cstdint>
#include <functional>

namespace bitplan {

// What a limit is on: what a computation takes on top of the network, the data and what was there before it. The tool
// makes it of its own, which is on the whole process (cli/memory_option.h).

/// The part of a limit that may be planned with; the rest is for what the allocator cannot give back, and for the
/// kernels that LibTorch makes and keeps.
std::int64_t PlannedBytes(std::int64_t limit);

/// Throws Error, naming both, when `needed`, what one sample takes of PlannedBytes(limit), is more than that.
void CheckOneSampleFits(std::int64_t needed, std::int64_t limit);

/// What a pass over samples takes at the most, whatever the limit: above it nothing becomes faster. So results, whose
/// last digits may depend on how many samples a pass takes, are the same under all limits that leave room for it.
inline constexpr std::int64_t kPassBytes = std::int64_t{128} << 20;

/// How many samples, 1 … `most`, a pass may take at a time: as many as fit into `pass_bytes` and into
/// PlannedBytes(limit) beside `held` bytes. `run` makes a pass over its argument's number of samples, which is tried out, from one on, as
/// far as is needed. Throws Error as CheckOneSampleFits does.
std::int64_t SamplesAPass(std::int64_t most, std::int64_t limit, std::int64_t held,
                          const std::function<void(std::int64_t samples)>& run, std::int64_t pass_bytes = kPassBytes);

/// The most bytes of tensors (and of LibTorch's own buffers) that `work` holds at once, on top of what there was
/// before. What `work` frees should be its own.
std::int64_t PeakBytes(const std::function<void()>& work);

}  // namespace bitplan
