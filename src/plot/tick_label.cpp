#include "tick_label.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace bitplan::plot {

std::string PowerOfTen(int exponent) {
  constexpr std::array<std::string_view, 10> digits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = "10";
  for (const char digit : fmt::format("{}", exponent))
    text += digit == '-' ? "⁻" : digits[static_cast<std::size_t>(digit - '0')];
  return text;
}

std::string PlainNumber(std::int64_t multiple, int exponent) {
  if (multiple == 0) return "0";
  const std::string_view sign = multiple < 0 ? "−" : "";
  if (exponent >= 0)
    return fmt::format("{}{}{}", sign, std::abs(multiple), std::string(static_cast<std::size_t>(exponent), '0'));
  const auto decimals = static_cast<std::size_t>(-exponent);
  const std::string digits = fmt::format("{:0{}}", std::abs(multiple), decimals + 1);
  const std::size_t point = digits.size() - decimals;
  return fmt::format("{}{}.{}", sign, digits.substr(0, point), digits.substr(point));
}

}  // namespace bitplan::plot
