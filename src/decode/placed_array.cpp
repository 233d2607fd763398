#include "decode/placed_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "bitplan/error.h"
#include "layout.h"

namespace bitplan::decode {

namespace {

std::vector<std::int64_t> RecordShape(const PlacedArray& array) { return {array.shape.begin() + 1, array.shape.end()}; }

/// Booleans that are neither 0 nor 1 are not values of C++'s bool. `element`: the first one's number in the array.
void CheckBooleans(const PlacedArray& array, std::span<const std::uint8_t> bytes, std::size_t element) {
  if (array.type != ElementType::Bool) return;
  const auto wrong = std::ranges::find_if(bytes, [](std::uint8_t byte) { return byte > 1; });
  if (wrong == bytes.end()) return;
  throw Error(fmt::format("{}: element {} is {}; a bool is 0 or 1", array.where,
                          element + static_cast<std::size_t>(wrong - bytes.begin()), *wrong));
}

}  // namespace

bool HasRecords(const PlacedArray& array) {
  return !array.shape.empty() && (!array.column_major || array.shape.size() == 1);
}

Array ReadWhole(const PlacedArray& array) {
  Array whole{array.type, array.shape, {}};
  const std::size_t size = ByteCount(array.type, array.shape, array.where);
  if (size == 0) return whole;
  if (HasRecords(array) && array.apart != ByteCount(array.type, RecordShape(array), array.where)) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(array.shape.front()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return ReadRecords(array, all);
  }
  whole.bytes.resize(size);
  array.source->Read(array.first, whole.bytes);
  CheckBooleans(array, whole.bytes, 0);
  MakeNative(whole, array.order);
  if (array.column_major) MakeRowMajor(whole);
  return whole;
}

Array ReadRecords(const PlacedArray& array, const std::vector<std::int64_t>& numbers) {
  const std::size_t size = ByteCount(array.type, RecordShape(array), array.where);
  Array read{array.type, array.shape, std::vector<std::uint8_t>(numbers.size() * size)};
  read.shape.front() = static_cast<std::int64_t>(numbers.size());
  if (size == 0) return read;
  for (std::size_t begin = 0; begin < numbers.size();) {
    std::size_t end = begin + 1;  // of records that stand one behind the other
    while (array.apart == size && end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    const std::span<std::uint8_t> place = std::span(read.bytes).subspan(begin * size, (end - begin) * size);
    const auto number = static_cast<std::uint64_t>(numbers[begin]);
    array.source->Read(array.first + number * array.apart, place);
    CheckBooleans(array, place, number * (size / ElementSize(array.type)));
    begin = end;
  }
  MakeNative(read, array.order);
  return read;
}

}  // namespace bitplan::decode
