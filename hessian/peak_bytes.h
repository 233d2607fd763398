#pragma once

#include <cstdint>
#include <functional>

namespace bitplan {

/// The most bytes of tensors (and of LibTorch's own buffers) that `work` holds at once, on top of what there was before.
/// What `work` frees should be its own.
std::int64_t PeakBytes(const std::function<void()>& work);

}  // namespace bitplan
