#pragma once

#include <string>
#include <string_view>

namespace bitplan::plot {

/// Escaped for XML text and attributes. What XML 1.0 does not allow, and what is not UTF-8, becomes U+FFFD; line ends
/// and tabs become blanks.
std::string EscapeXml(std::string_view utf8);

/// Width in pixels that this text takes at most in the usual sans-serif fonts at `font_size` pixels.
double TextWidth(std::string_view utf8, double font_size);

/// A text and the font size at which it fits.
struct FittedText {
  std::string text;
  double font_size = 0;
};

/// Makes a text fit into `width` pixels: by a font down to three quarters of the size, then by an ellipsis for its end.
FittedText Fit(std::string_view utf8, double font_size, double width);

}  // namespace bitplan::plot
