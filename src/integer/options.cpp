#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/integer.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<Overflow, 2> kOverflows = {{{Overflow::Saturate, "saturate"}, {Overflow::Wrap, "wrap"}}};

}  // namespace

BITPLAN_ENUM_NAMES(Overflow, kOverflows, "overflow")
Overflow ParseOverflow(std::string_view text) { return Parse<Overflow>(text); }

void IntegerOptions::Validate() const {
  const auto check = [](const char* what, int given, int least, int most) {
    if (given < least || given > most)
      throw Error(fmt::format("{}: {} given, expected {} … {}", what, given, least, most));
  };
  check("accumulator bits", accumulator_bits, 8, 48);
  check("multiplier bits", multiplier_bits, 1, 31);
}

}  // namespace bitplan
