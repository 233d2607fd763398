#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/integer.h"

namespace bitplan {

std::string_view ToString(Overflow overflow) { return overflow == Overflow::Saturate ? "saturate" : "wrap"; }

Overflow ParseOverflow(std::string_view text) {
  for (const Overflow overflow : {Overflow::Saturate, Overflow::Wrap})
    if (text == ToString(overflow)) return overflow;
  throw Error(fmt::format("unknown overflow '{}', expected saturate or wrap", text));
}

void IntegerOptions::Validate() const {
  const auto check = [](const char* what, int given, int least, int most) {
    if (given < least || given > most)
      throw Error(fmt::format("{}: {} given, expected {} … {}", what, given, least, most));
  };
  check("accumulator bits", accumulator_bits, 8, 48);
  check("multiplier bits", multiplier_bits, 1, 31);
}

}  // namespace bitplan
