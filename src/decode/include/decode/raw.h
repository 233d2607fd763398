#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "decode/byte_source.h"
#include "decode/placed_array.h"

namespace bitplan::decode {

/// Little-endian integers one behind the other, without a header: int16, int32, int64, uint8, uint16 or uint32, as
/// `type` says. `file` is named in messages. Throws Error: another type, a last number that is cut off.
PlacedArray PlaceRaw(std::shared_ptr<const ByteSource> source, std::string_view type, const std::string& file);

}  // namespace bitplan::decode
