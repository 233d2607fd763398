#include "decode/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "bitplan/error.h"

namespace bitplan::decode {
namespace {

struct ElementTraits {
  std::size_t size;
  std::string_view name;
};

// In the order of ElementType.
constexpr std::array<ElementTraits, 12> kTraits = {{{1, "bool"},
                                                    {1, "uint8"},
                                                    {1, "int8"},
                                                    {2, "uint16"},
                                                    {2, "int16"},
                                                    {4, "uint32"},
                                                    {4, "int32"},
                                                    {8, "int64"},
                                                    {2, "float16"},
                                                    {2, "bfloat16"},
                                                    {4, "float32"},
                                                    {8, "float64"}}};

}  // namespace

std::size_t ElementSize(ElementType type) { return kTraits.at(static_cast<std::size_t>(type)).size; }

std::string_view ElementName(ElementType type) { return kTraits.at(static_cast<std::size_t>(type)).name; }

std::size_t ByteCount(ElementType type, const std::vector<std::int64_t>& shape, std::string_view where) {
  // Signed, so that element counts and strides fit the std::int64_t of whoever takes the array. An axis of length 0
  // must not hide that the others overflow.
  constexpr std::int64_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
  std::int64_t count = static_cast<std::int64_t>(ElementSize(type));
  bool is_empty = false;
  for (const std::int64_t length : shape) {
    if (length < 0) throw Error(fmt::format("{}: shape {} has a negative dimension", where, ShapeText(shape)));
    is_empty = is_empty || length == 0;
    const std::int64_t factor = std::max<std::int64_t>(length, 1);
    if (count > kMost / factor) {
      throw Error(
          fmt::format("{}: shape {} of {} is larger than any file", where, ShapeText(shape), ElementName(type)));
    }
    count *= factor;
  }
  return is_empty ? 0 : static_cast<std::size_t>(count);
}

std::string ShapeText(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(text.begin() + at, ',');
  return text;
}

}  // namespace bitplan::decode
