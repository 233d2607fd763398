#pragma once

#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace bitplan::network {

// The numbers that torch.export's schema gives types, which are its own. Throw Error on one that it does not have.

at::ScalarType TypeOfSchema(std::int64_t number);
at::MemoryFormat MemoryFormatOfSchema(std::int64_t number);

/// The only layout that is read: dense, by strides.
inline constexpr std::int64_t kStridedOfSchema = 7;

}  // namespace bitplan::network
