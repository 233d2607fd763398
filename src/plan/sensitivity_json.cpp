#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/plan.h"
#include "cost_json.h"
#include "output_kind_json.h"
#include "output_shifts_json.h"
#include "plan/format_json.h"
#include "shape_json.h"

namespace bitplan {

namespace {

constexpr const char* kSensitivitySchema = "bitplan.sensitivity/1";
constexpr std::int64_t kMostElements = 1'000'000'000'000;  // of one tensor: sums over layers stay far from overflow

plan::Json CurvatureJson(const Curvature& curvature) {
  const auto number = [](const std::optional<double>& value) {
    return value ? plan::NumberOrNull(*value) : plan::Json();
  };
  return {{"elements", curvature.elements},
          {"eigenvalue", number(curvature.eigenvalue)},
          {"eigenvalue_residual", curvature.eigenvalue_residual},
          {"eigenvalue_converged", curvature.eigenvalue_converged},
          {"trace", number(curvature.trace)},
          {"trace_standard_error", curvature.trace_standard_error},
          {"trace_significant", curvature.trace_significant}};
}

Curvature ReadCurvature(plan::JsonReader reader) {
  Curvature curvature;
  curvature.elements = reader.Integer("elements", 0);
  curvature.eigenvalue = reader.NumberOrNull("eigenvalue");
  curvature.eigenvalue_residual = reader.Number("eigenvalue_residual", 0);
  curvature.eigenvalue_converged = reader.Bool("eigenvalue_converged");
  curvature.trace = reader.NumberOrNull("trace");
  curvature.trace_standard_error = reader.Number("trace_standard_error", 0);
  curvature.trace_significant = reader.Bool("trace_significant");
  reader.Finish();
  return curvature;
}

plan::Json DifferenceJson(const std::optional<ArithmeticDifference>& difference) {
  return difference ? plan::Json{{"rows", difference->rows}, {"trace", difference->trace}} : plan::Json();
}

ArithmeticDifference ReadDifference(plan::JsonReader reader) {
  const ArithmeticDifference difference{reader.Number("rows", 0), reader.Number("trace", 0)};
  reader.Finish();
  return difference;
}

plan::Json ChoicesJson(const std::vector<Perturbation>& choices) {
  plan::Json list = plan::Json::array();
  for (const Perturbation& choice : choices) {
    plan::Json figures = plan::Json::object();
    for (const auto& [measure, estimate] : choice.figures)
      figures[std::string(ToString(measure))] = {{"value", estimate.value},
                                                 {"standard_error", estimate.standard_error}};
    list.push_back({{"bits", choice.bits},
                    {"squared_error", choice.squared_error},
                    {"relative_error", choice.relative_error},
                    {"figures", std::move(figures)}});
  }
  return list;
}

std::vector<Perturbation> ReadChoices(plan::JsonReader& layer, const std::string& key) {
  std::vector<Perturbation> choices;
  for (plan::JsonReader& reader : layer.Objects(key)) {
    Perturbation choice;
    choice.bits = reader.Width("bits");
    if (!choices.empty() && choices.back().bits >= choice.bits) reader.Fail("bits", "widths in ascending order");
    choice.squared_error = reader.Number("squared_error", 0);
    choice.relative_error = reader.Number("relative_error", 0);
    plan::JsonReader figures = reader.Object("figures");
    for (const Measure measure : AllMeasures()) {
      const std::string name(ToString(measure));
      if (!HasFigures(measure) || !figures.Has(name)) continue;
      plan::JsonReader figure = figures.Object(name);
      choice.figures[measure] = {figure.Number("value"), figure.Number("standard_error", 0)};
      figure.Finish();
    }
    figures.Finish();
    reader.Finish();
    choices.push_back(choice);
  }
  if (choices.empty()) layer.Fail(key, "at least one choice");
  return choices;
}

plan::Json LayerJson(const LayerSensitivity& layer) {
  plan::Json json{{"name", layer.name},
                  {"operator", layer.op},
                  {"weight_count", layer.weight_count},
                  {"macs", layer.macs},
                  {"input_count", layer.input_count},
                  {"tied_group", layer.tied_group},
                  {"weight", CurvatureJson(layer.weight)},
                  {"activation", CurvatureJson(layer.activation)},
                  {"difference_from_float32", DifferenceJson(layer.difference_from_float32)},
                  {"weight_choices", ChoicesJson(layer.weight_choices)},
                  {"activation_choices", ChoicesJson(layer.activation_choices)}};
  if (!layer.fingerprint.empty()) json["fingerprint"] = layer.fingerprint;
  if (layer.shape) json["shape"] = plan::ShapeJson(*layer.shape);
  return json;
}

LayerSensitivity ReadLayerSensitivity(plan::JsonReader& reader) {
  LayerSensitivity layer;
  layer.name = reader.String("name");
  layer.op = reader.String("operator");
  layer.weight_count = reader.Integer("weight_count", 1, kMostElements);
  layer.macs = reader.Integer("macs", 0);
  layer.input_count = reader.Integer("input_count", 0, kMostElements);
  layer.tied_group = static_cast<int>(reader.Integer("tied_group", -1, std::numeric_limits<int>::max()));
  layer.weight = ReadCurvature(reader.Object("weight"));
  layer.activation = ReadCurvature(reader.Object("activation"));
  if (!reader.IsNull("difference_from_float32"))
    layer.difference_from_float32 = ReadDifference(reader.Object("difference_from_float32"));
  layer.weight_choices = ReadChoices(reader, "weight_choices");
  layer.activation_choices = ReadChoices(reader, "activation_choices");
  if (reader.Has("fingerprint")) layer.fingerprint = reader.Numbers("fingerprint");
  if (reader.Has("shape")) layer.shape = plan::ReadShape(reader.Object("shape"));
  if (layer.input_count == 0 && layer.activation_choices[0].bits != 32)
    reader.Fail("activation_choices", "32 bits only, as input_count is 0");
  reader.Finish();
  return layer;
}

plan::Json SensitivityJson(const Sensitivity& sensitivity) {
  plan::Json json{{"schema", kSensitivitySchema},
                  {"tool_version", sensitivity.tool_version},
                  {"model_sha256", sensitivity.model_sha256},
                  {"data", plan::DataSourceJson(sensitivity.data)},
                  {"seed", sensitivity.seed},
                  {"loss", ToString(sensitivity.loss)},
                  {"temperature", sensitivity.temperature},
                  {"fold_batch_norm", sensitivity.fold_batch_norm},
                  {"channel_correction", sensitivity.channel_correction},
                  {"weight_format", plan::FormatJson(sensitivity.weight_format)},
                  {"activation_format", plan::FormatJson(sensitivity.activation_format)},
                  {"samples", sensitivity.samples},
                  {"layers", plan::Json::array()},
                  {"costs", plan::Json::array()},
                  {"contributions", nullptr},
                  {"shifts", nullptr}};
  if (!sensitivity.input_values.empty()) json["input_values"] = sensitivity.input_values;
  if (!sensitivity.loss_module_sha256.empty()) json["loss_module_sha256"] = sensitivity.loss_module_sha256;
  if (sensitivity.outputs != OutputKind::Classes) json["outputs"] = ToString(sensitivity.outputs);
  if (sensitivity.class_axis != 1) json["class_axis"] = sensitivity.class_axis;
  if (!sensitivity.weights_sha256.empty()) json["weights_sha256"] = sensitivity.weights_sha256;
  for (const LayerSensitivity& layer : sensitivity.layers) json["layers"].push_back(LayerJson(layer));
  for (const OperandFormat& operand : sensitivity.operands)
    json["operands"].push_back(
        {{"name", operand.name}, {"format", plan::FormatJson(operand.format)}, {"layer", operand.layer}});
  for (const CostTable& table : sensitivity.costs) json["costs"].push_back(plan::CostTableJson(table));
  return json;
}

void ReadCostTables(plan::JsonReader& reader, Sensitivity& sensitivity) {
  std::vector<CostTable> tables;
  for (plan::JsonReader& table : reader.Objects("costs")) tables.push_back(plan::ReadCostTable(table));
  try {
    AddCosts(sensitivity, std::move(tables));
  } catch (const Error& error) {
    reader.Reject(fmt::format("costs: {}", error.what()));
  }
}

}  // namespace

std::string ToJson(const Sensitivity& sensitivity) { return plan::JsonText(SensitivityJson(sensitivity)); }

void WriteSensitivity(const std::filesystem::path& file, const Sensitivity& sensitivity) {
  plan::Json json = SensitivityJson(sensitivity);
  const std::filesystem::path stem = std::filesystem::path(file).replace_extension();
  if (sensitivity.contributions) json["contributions"] = plan::WriteContributions(*sensitivity.contributions, stem);
  if (sensitivity.shifts) json["shifts"] = plan::WriteShifts(*sensitivity.shifts, stem);
  WriteFile(file, plan::JsonText(json));
}

Sensitivity ReadSensitivity(const std::filesystem::path& file) {
  plan::JsonReader reader = plan::JsonReader::Open(file, kSensitivitySchema);
  Sensitivity sensitivity;
  sensitivity.tool_version = reader.String("tool_version");
  sensitivity.model_sha256 = reader.String("model_sha256");
  if (reader.Has("weights_sha256")) sensitivity.weights_sha256 = reader.String("weights_sha256");
  sensitivity.data = plan::ReadDataSource(reader.Object("data"));
  sensitivity.seed = reader.Unsigned("seed");
  sensitivity.loss = plan::ReadName(reader, "loss", ParseLoss);
  if (sensitivity.loss == Loss::Auto) reader.Fail("loss", "a loss that is settled, not auto");
  if (reader.Has("outputs")) sensitivity.outputs = plan::ReadOutputKind(reader);
  if (reader.Has("loss_module_sha256")) sensitivity.loss_module_sha256 = reader.String("loss_module_sha256");
  if (reader.Has("class_axis")) sensitivity.class_axis = reader.Integer("class_axis", 1);
  sensitivity.temperature = reader.Number("temperature", 0);
  sensitivity.fold_batch_norm = reader.Bool("fold_batch_norm");
  if (reader.Has("input_values")) sensitivity.input_values = reader.TextMap("input_values");
  sensitivity.channel_correction = reader.Bool("channel_correction");
  sensitivity.weight_format = plan::ReadFormat(reader.Object("weight_format"));
  sensitivity.activation_format = plan::ReadFormat(reader.Object("activation_format"));
  sensitivity.samples = reader.Integer("samples", 0);
  std::set<std::string> names;
  for (plan::JsonReader& layer : reader.Objects("layers")) {
    sensitivity.layers.push_back(ReadLayerSensitivity(layer));
    if (!names.insert(sensitivity.layers.back().name).second) layer.Fail("name", "a name that no other layer has");
  }
  if (reader.Has("operands"))
    for (plan::JsonReader& operand : reader.Objects("operands")) {
      sensitivity.operands.push_back(
          {operand.String("name"), plan::ReadFormat(operand.Object("format")), operand.String("layer")});
      operand.Finish();
      if (!sensitivity.operands.back().layer.empty() && !names.contains(sensitivity.operands.back().layer))
        operand.Fail("layer", "the name of a layer, or an empty one");
    }
  ReadCostTables(reader, sensitivity);
  if (!reader.IsNull("contributions"))
    sensitivity.contributions =
        plan::ReadContributions(reader.Object("contributions"), sensitivity, file.parent_path());
  if (!reader.IsNull("shifts"))
    sensitivity.shifts = plan::ReadShifts(reader.Object("shifts"), sensitivity, file.parent_path());
  if (sensitivity.contributions && sensitivity.shifts)
    plan::CheckPredictions(reader, *sensitivity.contributions, *sensitivity.shifts);
  reader.Finish();
  return sensitivity;
}

}  // namespace bitplan
