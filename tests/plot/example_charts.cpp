#include "plot/example_charts.h"

#include <cmath>
#include <random>

namespace bitplan {

namespace {

using Values = std::vector<double>;

/// Uniform in 0 … 1, the same on every platform.
double Draw(std::mt19937_64& random) { return static_cast<double>(random() >> 11) / 9007199254740992.0; }

Chart PredictedAgainstMeasured(const std::string& measure, double noise, int decade) {
  std::mt19937_64 random(static_cast<std::uint64_t>(100 * noise));
  const double unit = std::pow(10, decade);
  Chart chart{measure, "predicted loss increase", "measured loss increase", AxisScale::Log, AxisScale::Log, {}};
  for (const std::string bits : {"2 bits", "4 bits", "8 bits"}) {
    Series series{bits, {}, {}, {}, SeriesKind::Points};
    for (int i = 0; i < 20; ++i) {
      const double x = unit * std::pow(10, -3 * Draw(random) - (bits[0] - '2') / 2.0);
      const double y = x * std::exp(noise * (Draw(random) - 0.5));
      series.x.push_back(x);
      series.y.push_back(y);
      series.standard_errors.push_back(y * Draw(random) * (i % 7 == 0 ? 2 : 0.3));
    }
    chart.series.push_back(series);
  }
  chart.series.push_back({"equal", {unit * 1e-6, unit}, {unit * 1e-6, unit}, {}, SeriesKind::Line});
  return chart;
}

Chart SpectralDensity() {
  Chart chart{
      "Spectral density of the Hessian, ResNet-20", "eigenvalue", "density", AxisScale::Linear, AxisScale::Log, {}};
  for (const double width : {1.0, 2.5}) {
    Series series{width < 2 ? "first layer" : "whole network", {}, {}, {}, SeriesKind::Line};
    for (int i = 0; i <= 400; ++i) {
      const double x = -5 + 0.1 * i;
      series.x.push_back(x);
      series.y.push_back(std::exp(-x * x / 2 / width) + 1e-3 * std::exp(-(x - 22) * (x - 22) / width) + 1e-7);
    }
    chart.series.push_back(series);
  }
  return chart;
}

Chart TimeAgainstSize() {
  Chart chart{"Search time", "layers N", "time (s)", AxisScale::Log, AxisScale::Log, {}};
  for (const std::string method : {"greedy", "exact", "quadratic"}) {
    Series line{method, {}, {}, {}, SeriesKind::Line}, points{method, {}, {}, {}, SeriesKind::Points};
    for (double n = 8; n < 5000; n *= 2) {
      const double power = method == "greedy" ? 1 : method == "exact" ? 1.6 : 2.2;
      line.x.push_back(n);
      line.y.push_back(1e-5 * std::pow(n, power));
    }
    points.x = line.x;
    points.y = line.y;
    for (const double y : line.y) points.standard_errors.push_back(0.2 * y);
    chart.series.push_back(line);
    chart.series.push_back(points);
  }
  return chart;
}

Chart ParetoFront() {
  Chart chart{"Pareto fronts", "operations (BOPs)", "accuracy (%)", AxisScale::Linear, AxisScale::Linear, {}};
  for (const std::string measure : {"trace", "eigenvalue", "relative-error"}) {
    Series series{measure, {}, {}, {}, SeriesKind::Step};
    const double shift = static_cast<double>(measure.size()) / 10;
    for (int i = 1; i < 12; ++i) {
      series.x.push_back(1.1e9 * i);
      series.y.push_back(91.7 - 9 * std::exp(-i / (1 + shift)));
    }
    chart.series.push_back(series);
  }
  return chart;
}

Chart LearningCurves() {
  Chart chart{"Learning curves", "step", "loss", AxisScale::Linear, AxisScale::Linear, {}};
  std::mt19937_64 random(5);
  for (const std::string name : {"training", "validation"}) {
    Series series{name, {}, {}, {}, SeriesKind::Line};
    for (int i = 0; i <= 300; ++i) {
      series.x.push_back(1000 * i);
      series.y.push_back(2.3 * std::exp(-i / 60.0) + (name == "training" ? 0.1 : 0.3) + 0.1 * Draw(random));
    }
    chart.series.push_back(series);
  }
  return chart;
}

Chart CorrelationBars() {
  Chart chart{"Rank correlation by measure", "network", "Spearman's ρ", AxisScale::Linear, AxisScale::Linear, {}};
  const std::vector<Values> heights = {{0.91, 0.85, 0.4}, {0.8, 0.82, -0.2}, {0.6, 0.3, 0.1}};
  const std::vector<std::string> names = {"trace", "eigenvalue", "weight-error"};
  for (std::size_t i = 0; i < 3; ++i)
    chart.series.push_back({names[i], {1, 2, 3}, heights[i], {0.04, 0.07, 0.12}, SeriesKind::Bars});
  return chart;
}

Chart LongTexts() {
  const std::string words = "a rather long text that says everything there is to say & more <than fits> ";
  Chart chart{words + words, words + words, words + words, AxisScale::Linear, AxisScale::Linear, {}};
  for (int i = 0; i < 12; ++i)
    chart.series.push_back({i == 3 ? words + words : "layer" + std::to_string(i) + ".conv.weight",
                            {0, 1, 2},
                            {i * 1e-7, i * 2e-7, i * 1.5e-7},
                            {},
                            i % 2 ? SeriesKind::Line : SeriesKind::Points});
  return chart;
}

Chart Extremes(const Values& x, const Values& y, AxisScale scale) {
  return {"extremes", "x", "y", scale, scale, {{"", x, y, {}, SeriesKind::Points}}};
}

Chart LogBars() {
  return {"Bars on a log axis", "bits",
          "time (ms)",          AxisScale::Linear,
          AxisScale::Log,       {{"measured", {2, 4, 8}, {0.02, 3, 400}, {0.015, 1, 390}, SeriesKind::Bars}}};
}

}  // namespace

std::vector<ExampleFigure> ExampleFigures() {
  return {{"predicted_measured",
           {PredictedAgainstMeasured("trace", 1, 0), PredictedAgainstMeasured("eigenvalue", 3, 0),
            PredictedAgainstMeasured("weight-error", 8, 5), PredictedAgainstMeasured("relative-error", 5, -12)},
           2},
          {"predicted_measured_3",
           {PredictedAgainstMeasured("trace", 1, 0), PredictedAgainstMeasured("eigenvalue", 3, 0),
            PredictedAgainstMeasured("weight-error", 8, 0), SpectralDensity(), TimeAgainstSize()},
           3},
          {"scatter", {PredictedAgainstMeasured("Predicted against measured", 2, 0)}},
          {"density", {SpectralDensity()}},
          {"time", {TimeAgainstSize()}},
          {"pareto", {ParetoFront()}},
          {"learning", {LearningCurves()}},
          {"bars", {CorrelationBars()}},
          {"log_bars", {LogBars()}},
          {"long_texts", {LongTexts()}},
          {"extremes",
           {Extremes({5}, {5}, AxisScale::Linear), Extremes({0}, {0}, AxisScale::Linear),
            Extremes({1e-300, 1e300}, {1e-300, 1e300}, AxisScale::Log),
            Extremes({-1e300, 1e300}, {-1e300, 1e300}, AxisScale::Linear),
            Extremes({1000000, 1000001}, {-1e-320, 1e-300}, AxisScale::Linear),
            Extremes({1e-8, 1.1e-8}, {3.00001, 3.00002}, AxisScale::Log), Extremes({7}, {7e-5}, AxisScale::Log),
            Extremes({1, 1.0000000000000002}, {-0.00012, 0.00003}, AxisScale::Linear),
            Extremes({15, 85}, {1.5, 35}, AxisScale::Log)},
           3}};
}

}  // namespace bitplan
