#include <cmath>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/plot.h"
#include "bitplan/train.h"

namespace bitplan {

namespace {

/// The rows that have the number.
Series Line(std::string name, const std::vector<TrainEpoch>& curve, double TrainEpoch::* number) {
  Series series{.name = std::move(name), .x = {}, .y = {}, .kind = SeriesKind::Line};
  for (const TrainEpoch& row : curve) {
    if (!std::isfinite(row.*number)) continue;
    series.x.push_back(static_cast<double>(row.epoch));
    series.y.push_back(row.*number);
  }
  return series;
}

Chart ChartOf(const std::string& title, std::vector<Series> series) {
  Chart chart{.title = title, .x_label = "epoch", .y_label = title, .series = {}};
  for (Series& each : series)
    if (!each.x.empty()) chart.series.push_back(std::move(each));
  return chart;
}

}  // namespace

std::string ToCsv(const std::vector<TrainEpoch>& curve) {
  std::vector<std::vector<Cell>> rows;
  for (const TrainEpoch& row : curve)
    rows.push_back({row.epoch, row.learning_rate, row.loss, row.accuracy, row.held_out_loss, row.held_out_accuracy});
  return ToCsv({"epoch", "learning_rate", "loss", "accuracy", "held_out_loss", "held_out_accuracy"}, rows);
}

std::string ToSvg(const std::vector<TrainEpoch>& curve) {
  if (curve.empty()) throw Error("a learning curve without epochs cannot be drawn");
  std::vector<Chart> charts = {ChartOf("loss", {Line("training", curve, &TrainEpoch::loss),
                                                Line("held out", curve, &TrainEpoch::held_out_loss)}),
                               ChartOf("accuracy", {Line("training", curve, &TrainEpoch::accuracy),
                                                    Line("held out", curve, &TrainEpoch::held_out_accuracy)})};
  std::erase_if(charts, [](const Chart& chart) { return chart.series.empty(); });
  if (charts.empty()) throw Error("a learning curve without a finished epoch cannot be drawn");
  return ToSvg(charts, static_cast<int>(charts.size()));
}

}  // namespace bitplan
