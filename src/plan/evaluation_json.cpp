#include "plan/evaluation_json.h"

#include <limits>

#include "bitplan/version.h"
#include "output_kind_json.h"
#include "plan/format_json.h"

namespace bitplan::plan {

Json EvaluationJson(const Evaluation& evaluation) {
  Json json{{"correct", evaluation.correct < 0 ? Json() : Json(evaluation.correct)},
            {"total", evaluation.total},
            {"accuracy", NumberOrNull(evaluation.accuracy)},
            {"loss", NumberOrNull(evaluation.loss)},
            {"agreement", NumberOrNull(evaluation.agreement)},
            {"divergence", NumberOrNull(evaluation.divergence)}};
  if (evaluation.outputs != OutputKind::Classes) json["outputs"] = ToString(evaluation.outputs);
  if (!evaluation.loss_module.empty()) json["loss_module"] = evaluation.loss_module;
  if (evaluation.metric)
    json["metric"] = {{"name", evaluation.metric->name}, {"value", NumberOrNull(evaluation.metric->value)}};
  if (evaluation.perplexity) json["perplexity"] = NumberOrNull(*evaluation.perplexity);
  return json;
}

Evaluation ReadEvaluation(JsonReader reader) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Evaluation evaluation;
  evaluation.total = reader.Integer("total", 0);
  evaluation.correct = reader.IsNull("correct") ? -1 : reader.Integer("correct", 0, evaluation.total);
  evaluation.accuracy = reader.NumberOrNull("accuracy").value_or(kNaN);
  evaluation.loss = reader.NumberOrNull("loss").value_or(kNaN);
  evaluation.agreement = reader.NumberOrNull("agreement").value_or(kNaN);
  evaluation.divergence = reader.NumberOrNull("divergence").value_or(kNaN);
  if (reader.Has("outputs")) evaluation.outputs = ReadOutputKind(reader);
  if (reader.Has("loss_module")) evaluation.loss_module = reader.String("loss_module");
  if (reader.Has("metric")) {
    JsonReader metric = reader.Object("metric");
    evaluation.metric = EvaluationMetric{metric.String("name"), metric.NumberOrNull("value").value_or(kNaN)};
    metric.Finish();
  }
  if (reader.Has("perplexity")) evaluation.perplexity = reader.NumberOrNull("perplexity").value_or(kNaN);
  reader.Finish();
  return evaluation;
}

Json CorrectionGainJson(const CorrectionGain& gain) {
  const auto needed = gain.SamplesNeeded();
  return {{"samples", gain.samples},
          {"uncorrected", gain.uncorrected},
          {"corrected", gain.corrected},
          {"corrected_by_half", gain.corrected_by_half ? Json(*gain.corrected_by_half) : Json()},
          {"samples_needed", needed ? Json(*needed) : Json()}};
}

Json ReportJson(const EvaluationReport& report) {
  Json json{{"schema", "bitplan.evaluation/1"},
            {"tool_version", Version()},
            {"model_sha256", report.model_sha256},
            {"data_sha256", report.data_sha256},
            {"float", EvaluationJson(report.float_network)}};
  if (report.planned) json["planned"] = EvaluationJson(*report.planned);
  if (!report.planned_widths.empty()) json["planned_widths"] = report.planned_widths;
  if (!report.matched_by_value.empty()) json["matched_by_value"] = report.matched_by_value;
  if (report.correction_gain) json["correction_gain"] = CorrectionGainJson(*report.correction_gain);
  if (report.uniform) json["uniform"] = EvaluationJson(*report.uniform);
  if (report.uniform_bits)
    json["uniform_bits"] = {{"weight", report.uniform_bits->weight_bits},
                            {"activation", report.uniform_bits->activation_bits}};
  return json;
}

}  // namespace bitplan::plan

namespace bitplan {

std::string ToJson(const EvaluationReport& report) { return plan::JsonText(plan::ReportJson(report)); }

}  // namespace bitplan
