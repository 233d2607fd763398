#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "bitplan/plot.h"
#include "cost/error_message.h"

namespace bitplan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Chart WithSecond(const Series& series, AxisScale x_scale = AxisScale::Linear, AxisScale y_scale = AxisScale::Linear) {
  return {"T", "", "", x_scale, y_scale, {{"first", {1}, {1}}, series}};
}

template <typename... Parts>
void ExpectError(const Chart& chart, const Parts&... parts) {
  EXPECT_THAT([&] { ToSvg(chart); }, OneLineError("chart 0 'T'", parts...));
  EXPECT_THAT([&] { ToSvg({WithSecond({"fine", {1}, {1}}), chart}, 1); }, OneLineError("chart 1 'T'", parts...));
}

TEST(ToSvg, RefusesWhatHasNoData) {
  EXPECT_THAT([] { ToSvg(std::vector<Chart>{}, 1); }, OneLineError("no chart"));
  ExpectError({"T", "", "", AxisScale::Linear, AxisScale::Linear, {}}, "no series");
  ExpectError(WithSecond({"s", {}, {}}), "series 1 's'", "no points");
}

TEST(ToSvg, RefusesListsOfDifferentLengths) {
  ExpectError(WithSecond({"s", {1, 2}, {1}}), "series 1 's'", "2 x and 1 y");
  ExpectError(WithSecond({"s", {1, 2}, {1, 2}, {1}}), "series 1 's'", "2 points and 1 standard errors");
}

TEST(ToSvg, RefusesValuesThatAreNotFinite) {
  ExpectError(WithSecond({"s", {1, kNan}, {1, 2}}), "series 1 's': x[1] is nan", "finite");
  ExpectError(WithSecond({"s", {1, 2}, {-kInfinity, 2}}), "series 1 's': y[0] is -inf", "finite");
  ExpectError(WithSecond({"s", {1, 2}, {1, 2}, {0, kNan}}), "series 1 's': standard_errors[1] is nan");
  ExpectError(WithSecond({"s", {1, 2}, {1, 2}, {-1, 0}}), "series 1 's': standard_errors[0] is -1");
  ExpectError(WithSecond({"s", {1e301}, {1}}), "x[0] is 1e+301", "1e300");
}

TEST(ToSvg, RefusesWhatHasNoLogarithm) {
  for (const double value : {0.0, -3.0, 1e-310}) {
    ExpectError(WithSecond({"s", {1, value}, {1, 2}}, AxisScale::Log), "series 1 's': x[1]", "above 0", "log axis");
    ExpectError(WithSecond({"s", {1, 2}, {value, 2}}, AxisScale::Linear, AxisScale::Log), "series 1 's': y[0]",
                "above 0", "log axis");
    EXPECT_NO_THROW(ToSvg(WithSecond({"s", {1, value}, {value, 2}})));
  }
}

TEST(ToSvg, RefusesToHaveNoColumns) {
  const Chart chart = WithSecond({"s", {1}, {1}});
  for (const int columns : {0, -1})
    EXPECT_THAT([&] { ToSvg({chart}, columns); }, OneLineError("columns", "at least 1"));
}

}  // namespace
}  // namespace bitplan
