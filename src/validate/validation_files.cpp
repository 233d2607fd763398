#include <algorithm>

#include "bitplan/plot.h"
#include "bitplan/validate.h"
#include "bitplan/version.h"
#include "plan/json_writer.h"

namespace bitplan {

namespace {

using plan::Json;
using plan::NumberOrNull;

Json JsonOf(const DrawnPlan& plan, const std::vector<std::string>& groups) {
  Json json{{"choices", Json::object()}, {"rise", NumberOrNull(plan.rise)}};
  for (std::size_t g = 0; g < groups.size(); ++g) json["choices"][groups[g]] = plan.choices[g];
  if (plan.accuracy) json["accuracy"] = NumberOrNull(*plan.accuracy);
  if (plan.test_error) json["test_error"] = NumberOrNull(*plan.test_error);
  if (plan.metric) json["metric"] = {{"name", plan.metric->name}, {"value", NumberOrNull(plan.metric->value)}};
  return json;
}

Json JsonOf(const Agreement& agreement) {
  Json json{{"measure", agreement.measure},
            {"spearman", NumberOrNull(agreement.spearman)},
            {"kendall", NumberOrNull(agreement.kendall)},
            {"spearman_small", NumberOrNull(agreement.spearman_small)},
            {"kendall_small", NumberOrNull(agreement.kendall_small)}};
  if (agreement.spearman_accuracy) json["spearman_accuracy"] = NumberOrNull(*agreement.spearman_accuracy);
  json["predictions"] = Json::array();
  for (const double prediction : agreement.predictions) json["predictions"].push_back(NumberOrNull(prediction));
  return json;
}

}  // namespace

std::string ToJson(const Validation& validation) {
  Json json{{"schema", "bitplan.validation/1"},
            {"tool_version", Version()},
            {"model_sha256", validation.model_sha256},
            {"data_sha256", validation.data_sha256},
            {"seed", validation.seed},
            {"plans", Json::array()},
            {"agreements", Json::array()}};
  for (const DrawnPlan& plan : validation.plans) json["plans"].push_back(JsonOf(plan, validation.groups));
  for (const Agreement& agreement : validation.agreements) json["agreements"].push_back(JsonOf(agreement));
  return plan::JsonText(json);
}

std::string ToCsv(const Validation& validation) {
  std::vector<std::string> header{"plan"};
  header.insert(header.end(), validation.groups.begin(), validation.groups.end());
  header.emplace_back("measured rise");
  if (!validation.plans.empty() && validation.plans.front().accuracy) header.emplace_back("test accuracy");
  if (!validation.plans.empty() && validation.plans.front().test_error) header.emplace_back("test error");
  if (!validation.plans.empty() && validation.plans.front().metric)
    header.push_back("test " + validation.plans.front().metric->name);
  for (const Agreement& agreement : validation.agreements) header.push_back(agreement.measure);
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < validation.plans.size(); ++i) {
    const DrawnPlan& plan = validation.plans[i];
    std::vector<Cell>& row = rows.emplace_back();
    row.emplace_back(static_cast<std::int64_t>(i));
    for (const std::string& choice : plan.choices) row.emplace_back(choice);
    row.emplace_back(plan.rise);
    for (const std::optional<double>& tested : {plan.accuracy, plan.test_error})
      if (tested) row.emplace_back(*tested);
    if (plan.metric) row.emplace_back(plan.metric->value);
    for (const Agreement& agreement : validation.agreements) row.emplace_back(agreement.predictions[i]);
  }
  return ToCsv(header, rows);
}

std::string ToSvg(const Validation& validation) {
  constexpr double kLeast = 1e-12;  // logarithmic axes hold no zero, and a prediction may be negative
  std::vector<Chart> charts;
  for (const Agreement& agreement : validation.agreements) {
    Chart chart;
    chart.title = agreement.measure;
    chart.x_label = "predicted";
    chart.y_label = "measured rise";
    chart.x_scale = chart.y_scale = AxisScale::Log;
    Series points;
    for (std::size_t i = 0; i < validation.plans.size(); ++i) {
      points.x.push_back(std::max(agreement.predictions[i], kLeast));
      points.y.push_back(std::max(validation.plans[i].rise, kLeast));
    }
    chart.series.push_back(std::move(points));
    charts.push_back(std::move(chart));
  }
  return ToSvg(charts, 4);
}

}  // namespace bitplan
