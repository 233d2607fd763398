#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "bitplan/error.h"
#include "bitplan/target.h"
#include "plan/format_json.h"
#include "plan/shipped_files.h"
#include "shipped_targets.h"

namespace bitplan {

namespace {

constexpr const char* kSchema = "bitplan.target/1";

constexpr std::array<std::string_view, 14> kLayers = {
    "conv1d",           "conv2d",           "conv3d", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "linear", "addmm",
    "matmul",           "embedding",        "lstm",   "gru",
    "rnn_tanh",         "rnn_relu"};

/// The keys that say which numbers a target has. How their ranges are found stays as it is in `format`.
Format ReadNumbers(plan::JsonReader reader, Format format, bool of_weights) {
  format.type = plan::ReadName(reader, "type", ParseNumberType);
  format.scheme = plan::ReadName(reader, "scheme", ParseScheme);
  if (of_weights) format.granularity = plan::ReadName(reader, "granularity", ParseGranularity);
  format.scale_type = plan::ReadName(reader, "scale_type", ParseScaleType);
  format.narrow_range = reader.Bool("narrow_range");
  format.reduce_range = reader.Bool("reduce_range");
  reader.Finish();
  return format;
}

std::vector<int> ReadWidths(plan::JsonReader& reader, const std::string& key, const Format& format, bool of_weights) {
  std::vector<int> widths;
  for (const double number : reader.Numbers(key)) {
    const auto bits = static_cast<int>(std::clamp(number, 0.0, 33.0));
    if (bits != number || !IsWidth(bits)) reader.Fail(key, "widths, which are 1 to 8, 16 and 32");
    try {
      of_weights ? format.WithBits(bits).Validate() : format.WithBits(bits).ValidateForActivations();
    } catch (const Error& error) {
      reader.Fail(key, fmt::format("widths that the target's numbers have: {}", error.what()));
    }
    widths.push_back(bits);
  }
  if (widths.empty()) reader.Fail(key, "one width or more");
  return widths;
}

LayerOffer ReadLayerOffer(plan::JsonReader reader, const Target& target) {
  LayerOffer offer{ReadWidths(reader, "weight_bits", target.weight, true),
                   ReadWidths(reader, "input_bits", target.activation, false)};
  reader.Finish();
  return offer;
}

OperandOffer ReadOperandOffer(plan::JsonReader reader, const Target& target) {
  OperandOffer offer{ReadWidths(reader, "bits", target.activation, false)};
  const std::string operands = reader.String("operands");
  if (operands != "all" && operands != "one")
    reader.Fail("operands", "\"all\", or \"one\" where the operator is fused into a layer");
  offer.fused = operands == "one";
  reader.Finish();
  return offer;
}

Target Read(plan::JsonReader reader) {
  Target target;
  target.name = reader.String("name");
  target.source = reader.String("source");
  target.weight = ReadNumbers(reader.Object("weight"), DefaultWeightFormat(), true);
  target.activation = ReadNumbers(reader.Object("activation"), DefaultActivationFormat(), false);
  plan::JsonReader layers = reader.Object("layers");
  for (const std::string& op : layers.Keys()) {
    if (std::find(kLayers.begin(), kLayers.end(), op) == kLayers.end())
      layers.Fail(op, fmt::format("an operator with a weight: {}", fmt::join(kLayers, ", ")));
    target.layers.emplace(op, ReadLayerOffer(layers.Object(op), target));
  }
  if (!reader.IsNull("first_layer")) target.first_layer = ReadLayerOffer(reader.Object("first_layer"), target);
  if (!reader.IsNull("last_layer")) target.last_layer = ReadLayerOffer(reader.Object("last_layer"), target);
  plan::JsonReader operators = reader.Object("operators");
  for (const std::string& op : operators.Keys()) {
    const auto& known = OperandOperators();
    if (std::find(known.begin(), known.end(), op) == known.end())
      operators.Fail(op, fmt::format("an operator without a weight: {}", fmt::join(known, ", ")));
    target.operators.emplace(op, ReadOperandOffer(operators.Object(op), target));
    if (target.operators.at(op).fused && op != "add")
      operators.Fail(op + ".operands", "\"all\"; only additions are fused into layers");
  }
  reader.Finish();
  return target;
}

}  // namespace

std::vector<std::string> TargetNames() { return plan::NamesOf(target::ShippedTargets()); }

Target ReadTarget(const std::string& name_or_file) {
  return Read(plan::OpenShipped(target::ShippedTargets(), "target", name_or_file, kSchema));
}

}  // namespace bitplan
