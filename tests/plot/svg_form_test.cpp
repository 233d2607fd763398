#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <stdexcept>

#include "bitplan/plot.h"
#include "plot/xml.h"

namespace bitplan {
namespace {

/// The document with # in place of what the layout decides.
std::string WithoutCoordinates(const std::string& svg) {
  const std::regex coordinate("( (?:x|y|x1|x2|y1|y2|cx|cy)=\")[0-9.]+\"");
  return std::regex_replace(std::regex_replace(svg, coordinate, "$1#\""), std::regex("rotate\\([^)]*\\)"), "rotate(#)");
}

TEST(ToSvg, HasThisForm) {
  const Chart chart = {"Title", "x (s)", "y", AxisScale::Linear, AxisScale::Linear, {{"a&b", {0, 1}, {0, 1}, {}}}};
  const std::string svg = WithoutCoordinates(ToSvg(chart));
  EXPECT_TRUE(
      svg.starts_with(R"svg(<svg xmlns="http://www.w3.org/2000/svg" width="720" height="440" viewBox="0 0 720 440" )svg"
                      R"svg(font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" role="img">
<title>Title</title>
<rect width="100%" height="100%" fill="#ffffff"/>
)svg"))
      << svg;
  EXPECT_TRUE(svg.ends_with(
      R"svg(<line x1="#" y1="#" x2="#" y2="#" stroke="#444444" stroke-width="1"/>
<line x1="#" y1="#" x2="#" y2="#" stroke="#444444" stroke-width="1"/>
<text x="#" y="#" font-size="16" text-anchor="middle" fill="#222222" font-weight="bold">Title</text>
<text x="#" y="#" font-size="14" text-anchor="middle" fill="#222222">x (s)</text>
<text x="#" y="#" font-size="14" text-anchor="middle" fill="#222222" transform="rotate(#)">y</text>
<g>
<title>a&amp;b</title>
<circle cx="#" cy="#" r="3.5" fill="#0072B2" fill-opacity="0.8"/>
<circle cx="#" cy="#" r="3.5" fill="#0072B2" fill-opacity="0.8"/>
</g>
<circle cx="#" cy="#" r="4" fill="#0072B2" fill-opacity="0.8"/>
<text x="#" y="#" font-size="14" text-anchor="start" fill="#222222">a&amp;b</text>
</svg>
)svg"))
      << svg;
}

TEST(ToSvg, EscapesEveryText) {
  const std::string nasty = "<script>\"&amp;'\x01\xFF</script>";
  const std::string svg = ToSvg({nasty, nasty, nasty, AxisScale::Linear, AxisScale::Linear, {{nasty, {1}, {1}}}});
  std::vector<std::string> texts;
  for (const XmlElement& element : ParseXml(svg)) {
    EXPECT_NE(element.name, "script");
    if (element.name == "text" && element.text.starts_with("<")) texts.push_back(element.text);
  }
  EXPECT_THAT(texts, ::testing::ElementsAreArray(std::vector<std::string>(4, "<script>\"&amp;'\uFFFD\uFFFD</script>")));
}

TEST(ParseXml, RefusesWhatIsNotWellFormed) {
  for (const char* document : {"", "<a>", "<a></b>", "<a/><b/>", "<a b=\"1\" b=\"2\"/>", "<a b=1/>", "<a>&</a>",
                               "<a>&nbsp;</a>", "<a b=\"<\"/>", "<a>\x01</a>", "<a/>text"})
    EXPECT_THROW(ParseXml(document), std::runtime_error) << document;
  EXPECT_EQ(ParseXml("<a b=\"1\">x&lt;<c/>y</a>\n")[0].text, "x<y");
}

}  // namespace
}  // namespace bitplan
