#include "plot/text.h"

#include <algorithm>
#include <boost/nowide/utf/utf.hpp>
#include <cmath>
#include <iterator>

namespace bitplan::plot {

namespace {

using Utf8 = boost::nowide::utf::utf_traits<char>;
using boost::nowide::utf::code_point;

constexpr code_point kReplacement = 0xFFFD, kEllipsis = 0x2026;

/// Characters that XML 1.0 allows (section 2.2, production 2), on one line.
code_point Printable(code_point character) {
  if (character == '\t' || character == '\n' || character == '\r') return ' ';
  const bool allowed = boost::nowide::utf::is_valid_codepoint(character) && character >= 0x20 && character != 0xFFFE &&
                       character != 0xFFFF;
  return allowed ? character : kReplacement;
}

std::u32string Decode(std::string_view utf8) {
  std::u32string characters;
  for (auto at = utf8.begin(); at != utf8.end();) {
    const auto start = at;
    const code_point character = Utf8::decode(at, utf8.end());
    const bool broken = character == boost::nowide::utf::illegal || character == boost::nowide::utf::incomplete;
    if (broken) at = std::next(start);  // resume at the next byte: a broken sequence takes none of what follows with it
    characters += broken ? kReplacement : Printable(character);
  }
  return characters;
}

std::string Encode(const std::u32string& characters) {
  std::string utf8;
  for (const char32_t character : characters) Utf8::encode(character, std::back_inserter(utf8));
  return utf8;
}

/// In units of the font size. The widest of the usual fonts, DejaVu Sans, takes 0.6 on average for Latin text.
double CharacterWidth(char32_t character) {
  if (character >= 0x1100) return character >= 0x2000 && character < 0x2E80 ? 0.65 : 1;  // punctuation; East Asian
  if (character == 'm' || character == 'M' || character == 'w' || character == 'W' || character == '%') return 0.95;
  const std::u32string_view narrow = U"iIjltfr.,:;'|!()[] -";
  return narrow.find(character) != std::u32string_view::npos ? 0.4 : 0.65;
}

double Width(const std::u32string& characters, double font_size) {
  double width = 0;
  for (const char32_t character : characters) width += CharacterWidth(character);
  return width * font_size;
}

}  // namespace

std::string EscapeXml(std::string_view utf8) {
  std::string escaped;
  for (const char each : Encode(Decode(utf8))) switch (each) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += each;
    }
  return escaped;
}

double TextWidth(std::string_view utf8, double font_size) { return Width(Decode(utf8), font_size); }

FittedText Fit(std::string_view utf8, double font_size, double width) {
  std::u32string characters = Decode(utf8);
  const double needed = Width(characters, font_size);
  if (needed <= width) return {Encode(characters), font_size};
  if (needed * 0.75 <= width) return {Encode(characters), std::floor(10 * font_size * width / needed) / 10};
  const double smallest = 0.75 * font_size;
  while (!characters.empty() && Width(characters + char32_t{kEllipsis}, smallest) > width) characters.pop_back();
  return {Encode(characters + char32_t{kEllipsis}), smallest};
}

}  // namespace bitplan::plot
