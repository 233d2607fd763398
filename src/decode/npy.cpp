#include "decode/npy.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "npy_header.h"

namespace bitplan::decode {
namespace {

void CheckSize(const NpyHeader& header, std::uint64_t found, const std::string& where) {
  const std::size_t expected = ByteCount(header.type, header.shape, where);
  if (found == expected) return;
  const std::string announced =
      fmt::format("{} of {} takes {} bytes after the header of {}, and {} are there", ShapeText(header.shape),
                  ElementName(header.type), Grouped(expected), header.size, Grouped(found));
  if (found > expected) throw Error(fmt::format("{}: has too many bytes: {}", where, announced));
  const bool has_records = !header.shape.empty() && !header.fortran_order;
  if (!has_records) throw Error(fmt::format("{}: is cut off: {}", where, announced));
  const std::size_t record = expected / static_cast<std::size_t>(header.shape.front());
  throw Error(fmt::format("{}: record {} is cut off: {}", where, found / record, announced));
}

}  // namespace

PlacedArray PlaceNpy(std::shared_ptr<const ByteSource> source, const std::string& where) {
  if (source->size() == 0) throw Error(where + ": is empty; expected a NumPy array");
  const NpyHeader header = ReadNpyHeader(*source, where);
  CheckSize(header, source->size() - header.size, where);
  PlacedArray array{std::move(source),    where,        header.type, header.order,
                    header.fortran_order, header.shape, header.size, 0};
  if (HasRecords(array)) array.apart = ByteCount(array.type, {array.shape.begin() + 1, array.shape.end()}, where);
  return array;
}

Array DecodeNpy(std::vector<std::uint8_t> bytes, const std::string& where) {
  return ReadWhole(PlaceNpy(std::make_shared<MemoryBytes>(bytes, where), where));
}

}  // namespace bitplan::decode
