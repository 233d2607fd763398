#include "decode/npy.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "layout.h"
#include "npy_header.h"

namespace bitplan::decode {
namespace {

void CheckSize(const NpyHeader& header, std::size_t found, const std::string& where) {
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

/// Booleans that are neither 0 nor 1 are not values of C++'s bool.
void CheckBooleans(const Array& array, const std::string& where) {
  if (array.type != ElementType::Bool) return;
  const auto wrong = std::ranges::find_if(array.bytes, [](std::uint8_t byte) { return byte > 1; });
  if (wrong == array.bytes.end()) return;
  throw Error(fmt::format("{}: element {} is {}; a bool is 0 or 1", where, wrong - array.bytes.begin(), *wrong));
}

}  // namespace

Array DecodeNpy(std::vector<std::uint8_t> bytes, const std::string& where) {
  if (bytes.empty()) throw Error(where + ": is empty; expected a NumPy array");
  const NpyHeader header = ParseNpyHeader(bytes, where);
  CheckSize(header, bytes.size() - header.size, where);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header.size));
  Array array{header.type, header.shape, std::move(bytes)};
  CheckBooleans(array, where);
  MakeNative(array, header.order);
  if (header.fortran_order) MakeRowMajor(array);
  return array;
}

}  // namespace bitplan::decode
