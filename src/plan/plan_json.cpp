#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "bitplan/names.h"
#include "bitplan/plan.h"
#include "plan/evaluation_json.h"
#include "plan/format_json.h"

namespace bitplan {

namespace {

constexpr const char* kPlanSchema = "bitplan.plan/1";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Certificate ReadCertificate(plan::JsonReader reader) {
  Certificate certificate;
  certificate.method = reader.String("method");
  certificate.status = plan::ReadName(reader, "status", Parse<SolutionStatus>);
  certificate.objective = reader.NumberOrNull("objective").value_or(kNone);
  certificate.bound = reader.NumberOrNull("bound").value_or(kNone);
  certificate.gap = reader.NumberOrNull("gap").value_or(kNone);
  reader.Finish();
  return certificate;
}

plan::Json StabilityJson(const Stability& stability) {
  return {{"resamples", stability.resamples},
          {"best", stability.best},
          {"regret", stability.regret},
          {"proven", stability.proven},
          {"kept", stability.kept}};
}

/// Names of layers are data here, not keys that could be unknown: whatever they are, they are read as they were
/// written.
Stability ReadStability(plan::JsonReader reader) {
  Stability stability;
  stability.resamples = reader.Integer("resamples", 1);
  stability.best = reader.Number("best", 0);
  stability.regret = reader.Number("regret", 0);
  stability.proven = reader.Number("proven", 0);
  stability.kept = reader.NumberMap("kept");
  for (const auto& [layer, share] : stability.kept)
    if (share < 0 || share > 1) reader.Fail("kept", "a share of the resamples for each layer, from 0 to 1");
  reader.Finish();
  return stability;
}

plan::Json LearnedGridJson(const LearnedGrid& grid) {
  plan::Json json{{"scales", grid.scales}};
  if (!grid.zero_points.empty()) json["zero_points"] = grid.zero_points;
  if (!grid.thresholds.empty()) json["thresholds"] = grid.thresholds;
  if (!grid.negative_scales.empty()) json["negative_scales"] = grid.negative_scales;
  return json;
}

plan::Json RangeJson(const ActivationRange& range) {
  return {{"scale", range.scale}, {"zero_point", range.zero_point}, {"offset", range.offset}};
}

plan::Json LayerJson(const LayerPlan& layer) {
  plan::Json json{{"name", layer.name},
                  {"weight", plan::FormatJson(layer.weight)},
                  {"activation", plan::FormatJson(layer.activation)}};
  if (!layer.fingerprint.empty()) json["fingerprint"] = layer.fingerprint;
  if (layer.learned_weight) json["learned_weight"] = LearnedGridJson(*layer.learned_weight);
  if (layer.learned_input) json["learned_input"] = RangeJson(*layer.learned_input);
  return json;
}

plan::Json OperandJson(const OperandPlan& operand) {
  plan::Json json{{"name", operand.name}, {"format", plan::FormatJson(operand.format)}};
  if (operand.learned) json["learned"] = RangeJson(*operand.learned);
  return json;
}

/// Positive numbers, as many as there are scales.
std::vector<double> ReadScales(plan::JsonReader& reader, const std::string& key, std::size_t count) {
  const std::vector<double> scales = reader.Numbers(key);
  if (scales.size() != count) reader.Fail(key, std::to_string(count) + " numbers, one a scale");
  for (const double scale : scales)
    if (!(scale > 0)) reader.Fail(key, "positive numbers");
  return scales;
}

LearnedGrid ReadLearnedGrid(plan::JsonReader reader) {
  LearnedGrid grid;
  const std::size_t count = std::max<std::size_t>(1, reader.Numbers("scales").size());
  grid.scales = ReadScales(reader, "scales", count);
  if (reader.Has("zero_points")) {
    for (const double number : reader.Numbers("zero_points")) {
      if (number != std::trunc(number) || std::abs(number) > 65535)
        reader.Fail("zero_points", "integers of at most 16 bits");
      grid.zero_points.push_back(static_cast<std::int64_t>(number));
    }
    if (grid.zero_points.size() != count) reader.Fail("zero_points", std::to_string(count) + " numbers, one a scale");
  }
  if (reader.Has("thresholds")) grid.thresholds = ReadScales(reader, "thresholds", count);
  if (reader.Has("negative_scales")) grid.negative_scales = ReadScales(reader, "negative_scales", count);
  reader.Finish();
  return grid;
}

ActivationRange ReadRange(plan::JsonReader reader) {
  ActivationRange range;
  range.scale = reader.Number("scale");
  if (!(range.scale > 0)) reader.Fail("scale", "a positive number");
  range.zero_point = reader.Integer("zero_point", -65535, 65535);
  range.offset = reader.Number("offset");
  reader.Finish();
  return range;
}

LayerPlan ReadLayer(plan::JsonReader& reader) {
  LayerPlan layer{reader.String("name"), plan::ReadFormat(reader.Object("weight")),
                  plan::ReadFormat(reader.Object("activation"))};
  if (reader.Has("fingerprint")) layer.fingerprint = reader.Numbers("fingerprint");
  if (reader.Has("learned_weight")) layer.learned_weight = ReadLearnedGrid(reader.Object("learned_weight"));
  if (reader.Has("learned_input")) layer.learned_input = ReadRange(reader.Object("learned_input"));
  reader.Finish();
  return layer;
}

std::vector<OperandPlan> ReadOperands(plan::JsonReader& reader) {
  std::vector<OperandPlan> operands;
  std::set<std::string> names;
  for (plan::JsonReader& operand : reader.Objects("operands")) {
    operands.push_back({operand.String("name"), plan::ReadFormat(operand.Object("format"))});
    if (operand.Has("learned")) operands.back().learned = ReadRange(operand.Object("learned"));
    operand.Finish();
    if (!names.insert(operands.back().name).second) operand.Fail("name", "a name that no other operand has");
  }
  return operands;
}

}  // namespace

std::string ToJson(const Plan& plan) {
  plan::Json json{{"schema", kPlanSchema},
                  {"tool_version", plan.tool_version},
                  {"model_sha256", plan.model_sha256},
                  {"data", plan::DataSourceJson(plan.data)},
                  {"seed", plan.seed},
                  {"fold_batch_norm", plan.fold_batch_norm},
                  {"corrections", plan::CorrectionsJson(plan.corrections)},
                  {"measure", plan.measure},
                  {"predicted_loss", plan::NumberOrNull(plan.predicted_loss)},
                  {"measured", plan.measured ? plan::EvaluationJson(*plan.measured) : plan::Json()},
                  {"costs", plan.costs},
                  {"budgets", plan.budgets},
                  {"certificate",
                   {{"method", plan.certificate.method},
                    {"status", ToString(plan.certificate.status)},
                    {"objective", plan::NumberOrNull(plan.certificate.objective)},
                    {"bound", plan::NumberOrNull(plan.certificate.bound)},
                    {"gap", plan::NumberOrNull(plan.certificate.gap)}}},
                  {"stability", plan.stability ? StabilityJson(*plan.stability) : plan::Json()},
                  {"layers", plan::Json::array()}};
  if (!plan.input_values.empty()) json["input_values"] = plan.input_values;
  if (!plan.weights_sha256.empty()) json["weights_sha256"] = plan.weights_sha256;
  for (const LayerPlan& layer : plan.layers) json["layers"].push_back(LayerJson(layer));
  for (const OperandPlan& operand : plan.operands) json["operands"].push_back(OperandJson(operand));
  return plan::JsonText(json);
}

Plan ReadPlan(const std::filesystem::path& file) {
  plan::JsonReader reader = plan::JsonReader::Open(file, kPlanSchema);
  Plan plan;
  plan.tool_version = reader.String("tool_version");
  plan.model_sha256 = reader.String("model_sha256");
  if (reader.Has("weights_sha256")) plan.weights_sha256 = reader.String("weights_sha256");
  plan.data = plan::ReadDataSource(reader.Object("data"));
  plan.seed = reader.Unsigned("seed");
  plan.fold_batch_norm = reader.Bool("fold_batch_norm");
  if (reader.Has("input_values")) plan.input_values = reader.TextMap("input_values");
  plan.corrections = plan::ReadCorrections(reader.Object("corrections"));
  plan.measure = reader.String("measure");
  plan.predicted_loss = reader.NumberOrNull("predicted_loss").value_or(kNone);
  if (!reader.IsNull("measured")) plan.measured = plan::ReadEvaluation(reader.Object("measured"));
  plan.costs = reader.NumberMap("costs");
  plan.budgets = reader.NumberMap("budgets");
  plan.certificate = ReadCertificate(reader.Object("certificate"));
  std::set<std::string> names;
  for (plan::JsonReader& layer : reader.Objects("layers")) {
    plan.layers.push_back(ReadLayer(layer));
    if (!names.insert(plan.layers.back().name).second) layer.Fail("name", "a name that no other layer has");
  }
  if (reader.Has("operands")) plan.operands = ReadOperands(reader);
  if (!reader.IsNull("stability")) plan.stability = ReadStability(reader.Object("stability"));
  reader.Finish();
  return plan;
}

}  // namespace bitplan
