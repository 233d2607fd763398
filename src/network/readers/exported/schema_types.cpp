#include "readers/exported/schema_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::network {

at::ScalarType TypeOfSchema(std::int64_t number) {
  using enum at::ScalarType;
  constexpr std::array<std::pair<std::int64_t, at::ScalarType>, 21> kTypes = {{{1, Byte},
                                                                               {2, Char},
                                                                               {3, Short},
                                                                               {4, Int},
                                                                               {5, Long},
                                                                               {6, Half},
                                                                               {7, Float},
                                                                               {8, Double},
                                                                               {9, ComplexHalf},
                                                                               {10, ComplexFloat},
                                                                               {11, ComplexDouble},
                                                                               {12, Bool},
                                                                               {13, BFloat16},
                                                                               {28, UInt16},
                                                                               {29, Float8_e4m3fn},
                                                                               {30, Float8_e5m2},
                                                                               {31, Float8_e4m3fnuz},
                                                                               {32, Float8_e5m2fnuz},
                                                                               {33, Float8_e8m0fnu},
                                                                               {34, UInt32},
                                                                               {35, UInt64}}};
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& each) { return each.first == number; });
  if (found == kTypes.end()) throw Error(fmt::format("a tensor is of type {}, which is not known", number));
  return found->second;
}

at::MemoryFormat MemoryFormatOfSchema(std::int64_t number) {
  using enum at::MemoryFormat;
  constexpr std::array kFormats = {Contiguous, ChannelsLast, ChannelsLast3d, Preserve};
  if (number < 1 || number > static_cast<std::int64_t>(kFormats.size()))
    throw Error(fmt::format("memory format {} is not known", number));
  return kFormats[static_cast<std::size_t>(number - 1)];
}

}  // namespace bitplan::network
