#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <regex>

#include "plot/example_charts.h"
#include "plot/text.h"
#include "plot/xml.h"

namespace bitplan {
namespace {

struct Box {
  double left, top, right, bottom;
  std::string text;

  bool Overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

/// Where a text stands, as wide as fonts may make it.
Box BoxOf(const XmlElement& text) {
  const double x = text.Number("x"), y = text.Number("y"), font = text.Number("font-size");
  const double width = plot::TextWidth(text.text, font);
  const std::string& anchor = text.attributes.at("text-anchor");
  const double before = anchor == "start" ? 0 : anchor == "middle" ? width / 2 : width;
  if (text.attributes.contains("transform"))
    return {x - 0.8 * font, y - (width - before), x + 0.2 * font, y + before, text.text};
  return {x - before, y - 0.8 * font, x - before + width, y + 0.2 * font, text.text};
}

class EveryFigure : public ::testing::TestWithParam<ExampleFigure> {
 protected:
  const std::string svg_ = GetParam().Svg();
};
INSTANTIATE_TEST_SUITE_P(, EveryFigure, ::testing::ValuesIn(ExampleFigures()),
                         [](const auto& each) { return each.param.name; });

TEST_P(EveryFigure, IsOneSvgElement) {
  const std::vector<XmlElement> elements = ParseXml(svg_);
  EXPECT_EQ(elements[0].name, "svg");
  EXPECT_EQ(elements[0].attributes.at("xmlns"), "http://www.w3.org/2000/svg");
  EXPECT_EQ(elements[0].attributes.at("viewBox"),
            "0 0 " + elements[0].attributes.at("width") + " " + elements[0].attributes.at("height"));
}

TEST_P(EveryFigure, IsTheSameEveryTime) { EXPECT_EQ(GetParam().Svg(), svg_); }

TEST_P(EveryFigure, HasNumbersOnly) {
  EXPECT_FALSE(std::regex_search(svg_, std::regex("\"[^\"]*\\b(nan|inf)\\b[^\"]*\""))) << svg_;
}

TEST_P(EveryFigure, KeepsEveryTextOnTheCanvas) {
  const XmlElement canvas = ParseXml(svg_)[0];
  for (const XmlElement& text : Elements(svg_, "text")) {
    const Box box = BoxOf(text);
    EXPECT_GE(box.left, 0) << text.text;
    EXPECT_GE(box.top, 0) << text.text;
    EXPECT_LE(box.right, canvas.Number("width")) << text.text;
    EXPECT_LE(box.bottom, canvas.Number("height")) << text.text;
  }
}

TEST_P(EveryFigure, KeepsTextsApart) {
  std::vector<Box> boxes;
  for (const XmlElement& text : Elements(svg_, "text")) boxes.push_back(BoxOf(text));
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_FALSE(boxes[i].Overlaps(boxes[j])) << boxes[i].text << " and " << boxes[j].text;
}

TEST_P(EveryFigure, HasAtLeastTwoNumbersOnEveryAxis) {
  std::size_t bottom = 0, left = 0;
  for (const XmlElement& text : Elements(svg_, "text")) {
    const bool is_number = std::isdigit(static_cast<unsigned char>(text.text[0])) || text.text.starts_with("−");
    if (is_number && text.attributes.at("text-anchor") == "middle") ++bottom;
    if (is_number && text.attributes.at("text-anchor") == "end") ++left;
  }
  EXPECT_GE(bottom, 2 * GetParam().charts.size());
  EXPECT_GE(left, 2 * GetParam().charts.size());
}

TEST_P(EveryFigure, KeepsItsShapesOnTheCanvas) {
  const XmlElement canvas = ParseXml(svg_)[0];
  const std::map<std::string, double> limits = {{"x1", canvas.Number("width")},  {"x2", canvas.Number("width")},
                                                {"cx", canvas.Number("width")},  {"y1", canvas.Number("height")},
                                                {"y2", canvas.Number("height")}, {"cy", canvas.Number("height")}};
  for (const XmlElement& element : ParseXml(svg_))
    for (const auto& [name, limit] : limits) {
      if (!element.attributes.contains(name)) continue;
      EXPECT_GE(element.Number(name), 0);
      EXPECT_LE(element.Number(name), limit);
    }
}

}  // namespace
}  // namespace bitplan
