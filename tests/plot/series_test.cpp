#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "bitplan/plot.h"
#include "plot/xml.h"

namespace bitplan {
namespace {

using Values = std::vector<double>;

Chart OneSeries(const Values& x, const Values& y, SeriesKind kind, const Values& errors = {},
                AxisScale x_scale = AxisScale::Linear, AxisScale y_scale = AxisScale::Linear) {
  return {"", "", "", x_scale, y_scale, {{"", x, y, errors, kind}}};
}

/// Where the labels of an axis stand: the x of those below, the baseline of those to the left.
std::map<std::string, double> XLabels(const std::string& svg) {
  std::map<std::string, double> labels;
  for (const XmlElement& text : Elements(svg, "text"))
    if (text.attributes.at("text-anchor") == "middle") labels[text.text] = text.Number("x");
  return labels;
}

std::map<std::string, double> YLabels(const std::string& svg) {
  std::map<std::string, double> labels;
  for (const XmlElement& text : Elements(svg, "text"))
    if (text.attributes.at("text-anchor") == "end")
      labels[text.text] = text.Number("y") - 0.35 * text.Number("font-size");
  return labels;
}

std::vector<XmlElement> Bars(const std::string& svg) {
  std::vector<XmlElement> bars = Elements(svg, "rect");
  bars.erase(bars.begin());  // the background
  return bars;
}

TEST(Points, StandWhereTheAxesSay) {
  const std::string svg = ToSvg(OneSeries({0, 4, 10}, {-2, 0, 4}, SeriesKind::Points));
  const std::vector<XmlElement> points = Elements(svg, "circle");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[0].Number("cx"), XLabels(svg).at("0"), 0.02);
  EXPECT_NEAR(points[1].Number("cx"), XLabels(svg).at("4"), 0.02);
  EXPECT_NEAR(points[2].Number("cx"), XLabels(svg).at("10"), 0.02);
  EXPECT_NEAR(points[0].Number("cy"), YLabels(svg).at("−2"), 0.02);
  EXPECT_NEAR(points[1].Number("cy"), YLabels(svg).at("0"), 0.02);
  EXPECT_NEAR(points[2].Number("cy"), YLabels(svg).at("4"), 0.02);
  EXPECT_LT(points[2].Number("cy"), points[0].Number("cy"));
}

TEST(Points, OnLogAxesStandAtTheirLogarithms) {
  const std::string svg =
      ToSvg(OneSeries({1, 10, 1000}, {0.1, 0.001, 1}, SeriesKind::Points, {}, AxisScale::Log, AxisScale::Log));
  const std::vector<XmlElement> points = Elements(svg, "circle");
  EXPECT_NEAR(points[1].Number("cx"), XLabels(svg).at("10"), 0.02);
  EXPECT_NEAR(points[1].Number("cy"), YLabels(svg).at("0.001"), 0.02);
  const double decade = points[1].Number("cx") - points[0].Number("cx");
  EXPECT_NEAR(points[2].Number("cx") - points[1].Number("cx"), 2 * decade, 0.03);
}

TEST(Line, GoesThroughItsPointsInOrder) {
  const std::string svg = ToSvg(OneSeries({0, 10, 4}, {0, 1, 2}, SeriesKind::Line));
  const std::vector<XmlElement> lines = Elements(svg, "polyline");
  ASSERT_EQ(lines.size(), 1U);
  const std::string& points = lines[0].attributes.at("points");
  EXPECT_EQ(std::count(points.begin(), points.end(), ','), 3);
  EXPECT_NEAR(std::stod(points), XLabels(svg).at("0"), 0.02);
  EXPECT_NEAR(std::stod(points.substr(points.rfind(' '))), XLabels(svg).at("4"), 0.02);
}

TEST(Step, HoldsUntilTheNextPoint) {
  const std::string svg = ToSvg(OneSeries({0, 4, 10}, {0, 1, 2}, SeriesKind::Step));
  const std::string points = Elements(svg, "polyline").at(0).attributes.at("points");
  Values x, y;
  for (std::size_t at = 0; at != std::string::npos; at = points.find(' ', at + 1)) {
    x.push_back(std::stod(points.substr(at)));
    y.push_back(std::stod(points.substr(points.find(',', at) + 1)));
  }
  ASSERT_EQ(x.size(), 5U);
  EXPECT_EQ(y[0], y[1]);
  EXPECT_EQ(x[1], x[2]);
  EXPECT_NEAR(x[1], XLabels(svg).at("4"), 0.02);
  EXPECT_EQ(y[2], y[3]);
  EXPECT_EQ(x[3], x[4]);
}

TEST(BarSeries, StandOnZeroSideBySide) {
  Chart chart = OneSeries({1, 2}, {3, -1}, SeriesKind::Bars);
  chart.series.push_back({"", {1, 2}, {4, 2}, {}, SeriesKind::Bars});
  const std::string svg = ToSvg(chart);
  const std::vector<XmlElement> bars = Bars(svg);
  ASSERT_EQ(bars.size(), 4U);
  const double zero = YLabels(svg).at("0");
  EXPECT_NEAR(bars[0].Number("y") + bars[0].Number("height"), zero, 0.02);
  EXPECT_NEAR(bars[0].Number("y"), YLabels(svg).at("3"), 0.02);
  EXPECT_NEAR(bars[1].Number("y"), zero, 0.02);
  EXPECT_NEAR(bars[1].Number("y") + bars[1].Number("height"), YLabels(svg).at("−1"), 0.02);
  EXPECT_NEAR(bars[0].Number("x") + bars[0].Number("width"), bars[2].Number("x"), 0.02);
  EXPECT_NEAR(bars[2].Number("x"), XLabels(svg).at("1.0"), 0.02);
}

TEST(BarSeries, OfPositiveValuesLeaveNoGapBelow) {
  const std::string svg = ToSvg(OneSeries({1, 2}, {3, 4}, SeriesKind::Bars));
  double lowest = 0;
  for (const XmlElement& line : Elements(svg, "line"))
    if (line.attributes.at("stroke") == "#444444" && line.Number("y1") == line.Number("y2"))
      lowest = std::max(lowest, line.Number("y1"));
  EXPECT_NEAR(YLabels(svg).at("0"), lowest, 0.02);
}

TEST(StandardErrors, SpanOneErrorEachWay) {
  const std::string svg = ToSvg(OneSeries({0, 10}, {2, 6}, SeriesKind::Points, {1, 2}));
  const std::string color = Elements(svg, "circle").at(0).attributes.at("fill");
  Values ends;
  for (const XmlElement& line : Elements(svg, "line"))
    if (line.attributes.at("stroke") == color && line.Number("x1") == line.Number("x2"))
      for (const char* end : {"y1", "y2"}) ends.push_back(line.Number(end));
  ASSERT_EQ(ends.size(), 4U);
  EXPECT_NEAR(ends[0], YLabels(svg).at("3"), 0.02);
  EXPECT_NEAR(ends[1], YLabels(svg).at("1"), 0.02);
  EXPECT_NEAR(ends[2], YLabels(svg).at("8"), 0.02);
  EXPECT_NEAR(ends[3], YLabels(svg).at("4"), 0.02);
}

TEST(StandardErrors, BelowZeroOnALogAxisEndAtItsEdgeWithoutStretchingIt) {
  const std::string svg =
      ToSvg(OneSeries({0, 10}, {1, 100}, SeriesKind::Points, {2, 99.999}, AxisScale::Linear, AxisScale::Log));
  EXPECT_TRUE(YLabels(svg).contains("0.1"));
  EXPECT_FALSE(YLabels(svg).contains("0.01"));
}

TEST(Legend, ListsEachNameOnceAcrossPanels) {
  const Chart a = {
      "a", "", "", AxisScale::Linear, AxisScale::Linear, {{"one", {1}, {1}}, {"two", {1}, {2}}, {"", {1}, {3}}}};
  const Chart b = {"b",
                   "",
                   "",
                   AxisScale::Linear,
                   AxisScale::Linear,
                   {{"two", {1}, {1}}, {"three", {1}, {2}}, {"two", {1, 2}, {3, 3}, {}, SeriesKind::Line}}};
  const std::string svg = ToSvg({a, b}, 2);
  std::vector<std::string> entries;
  for (const XmlElement& text : Elements(svg, "text"))
    if (text.attributes.at("text-anchor") == "start") entries.push_back(text.text);
  EXPECT_THAT(entries, ::testing::ElementsAre("one", "two", "three"));
}

TEST(Legend, GivesANameOneColorWhateverItsKind) {
  const Chart chart = {"",
                       "",
                       "",
                       AxisScale::Linear,
                       AxisScale::Linear,
                       {{"fit", {1, 2}, {1, 2}, {}, SeriesKind::Line},
                        {"data", {1, 2}, {1, 2}},
                        {"data", {1, 2}, {2, 1}, {}, SeriesKind::Line}}};
  std::map<std::string, std::set<std::string>> colors;
  std::string group;
  for (const XmlElement& element : ParseXml(ToSvg(chart))) {
    if (element.name == "title") group = element.text;
    if (element.depth == 2 && element.name == "polyline") colors[group].insert(element.attributes.at("stroke"));
    if (element.depth == 2 && element.name == "polygon") colors[group].insert(element.attributes.at("fill"));
  }
  EXPECT_EQ(colors.at("data").size(), 1U);
  EXPECT_EQ(colors.at("fit").size(), 1U);
  EXPECT_NE(colors.at("data"), colors.at("fit"));
}

TEST(Legend, OfManyRowsMakesTheDocumentHigherInsteadOfTheChartTiny) {
  Chart chart = OneSeries({1}, {1}, SeriesKind::Points);
  EXPECT_EQ(ParseXml(ToSvg(chart))[0].attributes.at("height"), "440");
  for (int i = 0; i < 60; ++i) chart.series.push_back({"a name of some length " + std::to_string(i), {1}, {1}});
  EXPECT_GT(ParseXml(ToSvg(chart))[0].Number("height"), 500);
}

TEST(SmallMultiples, FillRowsFirst) {
  const Chart chart = OneSeries({1}, {1}, SeriesKind::Points);
  const std::vector<XmlElement> points = Elements(ToSvg({chart, chart, chart}, 2), "circle");
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[1].Number("cx"), points[0].Number("cx") + 360, 0.02);
  EXPECT_EQ(points[1].Number("cy"), points[0].Number("cy"));
  EXPECT_EQ(points[2].Number("cx"), points[0].Number("cx"));
  EXPECT_NEAR(points[2].Number("cy"), points[0].Number("cy") + 300, 0.02);
  EXPECT_EQ(ParseXml(ToSvg({chart, chart}, 7))[0].attributes.at("width"), "720");
}

}  // namespace
}  // namespace bitplan
