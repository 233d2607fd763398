#include "decode/raw.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::decode {

PlacedArray PlaceRaw(std::shared_ptr<const ByteSource> source, std::string_view type, const std::string& file) {
  constexpr std::array kIntegers = {ElementType::Int16, ElementType::Int32,  ElementType::Int64,
                                    ElementType::UInt8, ElementType::UInt16, ElementType::UInt32};
  const auto named = std::ranges::find(kIntegers, type, ElementName);
  if (named == kIntegers.end())
    throw Error(fmt::format("{}: '{}' is no type of its numbers; give int16, int32, int64, uint8, uint16 or uint32",
                            file, type));
  const std::size_t size = ElementSize(*named);
  const std::uint64_t bytes = source->size();
  if (bytes % size != 0)
    throw Error(
        fmt::format("{}: the last {} is cut off: {} bytes, and each takes {}", file, type, Grouped(bytes), size));
  return {
      std::move(source), file, *named, std::endian::little, false, {static_cast<std::int64_t>(bytes / size)}, 0, size};
}

}  // namespace bitplan::decode
