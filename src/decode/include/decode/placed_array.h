#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decode/array.h"
#include "decode/byte_source.h"

namespace bitplan::decode {

/// An array whose elements are still where they were found.
struct PlacedArray {
  std::shared_ptr<const ByteSource> source;
  std::string where;  ///< begins messages
  ElementType type = ElementType::UInt8;
  std::endian order = std::endian::native;
  bool column_major = false;  ///< its first axis varies fastest
  std::vector<std::int64_t> shape;
  std::uint64_t first = 0;  ///< where in the source its elements begin
  std::uint64_t apart = 0;  ///< from a record, all of one index of the first axis, to the next; of row-major ones
};

/// One of the arrays of a file that names them.
struct PlacedEntry {
  std::string name;
  PlacedArray array;
};

/// Whether the records of an array can be read by themselves: it is not column-major, and has a first axis.
bool HasRecords(const PlacedArray& array);

/// The whole array. Throws Error: as ByteSource::Read, booleans that are neither 0 nor 1.
Array ReadWhole(const PlacedArray& array);

/// The records of these numbers, in this order, [numbers, …]. Needs HasRecords. Throws Error as ReadWhole does.
Array ReadRecords(const PlacedArray& array, const std::vector<std::int64_t>& numbers);

}  // namespace bitplan::decode
