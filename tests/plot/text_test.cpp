#include "plot/text.h"

#include <gtest/gtest.h>

namespace bitplan::plot {
namespace {

TEST(EscapeXml, ReplacesWhatMeansSomething) {
  EXPECT_EQ(EscapeXml("a<b & \"c\" > 'd'"), "a&lt;b &amp; &quot;c&quot; &gt; 'd'");
  EXPECT_EQ(EscapeXml("&amp;"), "&amp;amp;");
}

TEST(EscapeXml, KeepsUtf8) { EXPECT_EQ(EscapeXml("λ₁ ‖Δ‖² 重み 𝛼"), "λ₁ ‖Δ‖² 重み 𝛼"); }

TEST(EscapeXml, ReplacesWhatXmlForbids) {
  EXPECT_EQ(EscapeXml(std::string("a\0b\x01\x1b", 5)), "a\uFFFDb\uFFFD\uFFFD");
  EXPECT_EQ(EscapeXml("two\nlines\tand\r"), "two lines and ");
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBE"), "\uFFFD");              // U+FFFE
  EXPECT_EQ(EscapeXml("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(EscapeXml("\xFFx\xC3"), "\uFFFDx\uFFFD");          // no start byte; cut short
  EXPECT_EQ(EscapeXml("\xC0\xAF<"), "\uFFFD\uFFFD&lt;");       // overlong
  EXPECT_EQ(EscapeXml("\xE2<b>"), "\uFFFD&lt;b&gt;");          // markup after a broken sequence is escaped
}

TEST(TextWidth, CountsCharactersNotBytes) {
  EXPECT_EQ(TextWidth("", 12), 0);
  EXPECT_DOUBLE_EQ(TextWidth("λλ", 12), TextWidth("ab", 12));
  EXPECT_DOUBLE_EQ(TextWidth("ab", 24), 2 * TextWidth("ab", 12));
  EXPECT_GT(TextWidth("重", 12), TextWidth("a", 12));
}

TEST(Fit, LeavesWhatFits) {
  EXPECT_EQ(Fit("short", 12, 100).text, "short");
  EXPECT_EQ(Fit("short", 12, 100).font_size, 12);
}

TEST(Fit, TakesASmallerFontFirst) {
  const FittedText fitted = Fit("twenty characters or", 12, 0.8 * TextWidth("twenty characters or", 12));
  EXPECT_EQ(fitted.text, "twenty characters or");
  EXPECT_LT(fitted.font_size, 12);
  EXPECT_GE(fitted.font_size, 9);
  EXPECT_LE(TextWidth(fitted.text, fitted.font_size), 0.8 * TextWidth("twenty characters or", 12));
}

TEST(Fit, ThenCutsTheEnd) {
  const FittedText fitted = Fit("λ twenty characters or more", 12, 60);
  EXPECT_TRUE(fitted.text.starts_with("λ t")) << fitted.text;
  EXPECT_TRUE(fitted.text.ends_with("…")) << fitted.text;
  EXPECT_LE(TextWidth(fitted.text, fitted.font_size), 60);
  EXPECT_EQ(Fit("text", 12, -5).text, "…");
}

}  // namespace
}  // namespace bitplan::plot
