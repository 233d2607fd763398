#include <utility>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "plan/format_json.h"
#include "plan/yaml_text.h"

namespace bitplan {

namespace {

/// `format` with what the object says of it. A width may bring another type with it, as Format::WithBits says, and a
/// type given goes first.
Format ReadFormatChange(JsonReader reader, Format format, bool of_weight) {
  if (reader.Has("type")) format.type = ReadName(reader, "type", ParseNumberType);
  if (reader.Has("bits")) format = format.WithBits(reader.Width("bits"));
  if (reader.Has("scheme")) format.scheme = ReadName(reader, "scheme", ParseScheme);
  if (reader.Has("granularity")) format.granularity = ReadName(reader, "granularity", ParseGranularity);
  if (reader.Has("group_size")) format.group_size = static_cast<int>(reader.Integer("group_size", 0, kLargestGroup));
  if (reader.Has("scale_type")) format.scale_type = ReadName(reader, "scale_type", ParseScaleType);
  if (reader.Has("narrow_range")) format.narrow_range = reader.Bool("narrow_range");
  if (reader.Has("reduce_range")) format.reduce_range = reader.Bool("reduce_range");
  if (reader.Has("calibrator")) format.calibrator = ReadName(reader, "calibrator", ParseCalibrator);
  if (reader.Has("percentile")) format.percentile = reader.Number("percentile");
  if (reader.Has("deviations")) format.deviations = reader.Number("deviations");
  reader.Finish();
  try {
    of_weight ? format.Validate() : format.ValidateForActivations();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return format;
}

void ReadFormats(JsonReader& reader, Format& weight, Format& activation) {
  if (reader.Has("weight")) weight = ReadFormatChange(reader.Object("weight"), weight, true);
  if (reader.Has("activation")) activation = ReadFormatChange(reader.Object("activation"), activation, false);
}

}  // namespace

Configuration ReadConfiguration(const std::filesystem::path& file, const Configuration& defaults) {
  JsonReader reader = JsonReader::FromText(YamlFileAsJson(file), file.string(), "bitplan.configuration/1");
  Configuration configuration = defaults;
  ReadFormats(reader, configuration.weight, configuration.activation);
  if (reader.Has("corrections"))
    configuration.corrections = ReadCorrectionsChange(reader.Object("corrections"), configuration.corrections);
  configuration.rules.clear();
  if (reader.Has("layers"))
    for (JsonReader& rule : reader.Objects("layers")) {
      LayerRule read{rule.String("match"), configuration.weight, configuration.activation};
      ReadFormats(rule, read.weight, read.activation);
      rule.Finish();
      configuration.rules.push_back(std::move(read));
    }
  reader.Finish();
  return configuration;
}

}  // namespace bitplan
