#pragma once

#include <cstdint>
#include <functional>

namespace bitplan {

// What a limit is on: what a computation takes on top of the network, the data and what was there before it.

/// The part of a limit that may be planned with; the rest is for what the allocator cannot give back, and for the
/// kernels that LibTorch makes and keeps.
std::int64_t PlannedBytes(std::int64_t limit);

/// Throws Error, naming both, when `needed`, what one sample takes of PlannedBytes(limit), is more than that.
void CheckOneSampleFits(std::int64_t needed, std::int64_t limit);

/// The most bytes of tensors (and of LibTorch's own buffers) that `work` holds at once, on top of what there was
/// before. What `work` frees should be its own.
std::int64_t PeakBytes(const std::function<void()>& work);

}  // namespace bitplan
