#include <utility>

#include "bitplan/configuration.h"
#include "bitplan/error.h"
#include "plan/format_json.h"
#include "yaml_text.h"

namespace bitplan {

namespace {

/// A format, and whether a width was asked for; what was not stays in float.
struct Asked {
  Format format;
  bool has_width = false;

  Format Resolved() const { return has_width ? format : format.WithBits(32); }
};

/// `asked` with what the object says of it. A width may bring another type with it, as Format::WithBits says, a type
/// with a single width brings that, and a type given goes first.
Asked ReadFormatChange(plan::JsonReader reader, Asked asked, bool of_weight) {
  Format& format = asked.format;
  if (reader.Has("type")) {
    format.type = plan::ReadName(reader, "type", ParseNumberType);
    if (const int only = OnlyWidth(format.type)) format.bits = only;
    asked.has_width = asked.has_width || OnlyWidth(format.type) != 0;
  }
  if (reader.Has("bits")) format = format.WithBits(reader.Width("bits"));
  asked.has_width = asked.has_width || reader.Has("bits");
  if (reader.Has("scheme")) format.scheme = plan::ReadName(reader, "scheme", ParseScheme);
  if (reader.Has("granularity")) format.granularity = plan::ReadName(reader, "granularity", ParseGranularity);
  if (reader.Has("group_size"))
    format.group_size = static_cast<int>(reader.Integer("group_size", 0, plan::kLargestGroup));
  if (reader.Has("scale_type")) format.scale_type = plan::ReadName(reader, "scale_type", ParseScaleType);
  if (reader.Has("narrow_range")) format.narrow_range = reader.Bool("narrow_range");
  if (reader.Has("reduce_range")) format.reduce_range = reader.Bool("reduce_range");
  if (reader.Has("calibrator")) format.calibrator = plan::ReadName(reader, "calibrator", ParseCalibrator);
  if (reader.Has("percentile")) format.percentile = reader.Number("percentile");
  if (reader.Has("deviations")) format.deviations = reader.Number("deviations");
  reader.Finish();
  try {
    of_weight ? format.Validate() : format.ValidateForActivations();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return asked;
}

struct AskedFormats {
  Asked weight, activation;
};

/// `formats` with what the object says of them. In a rule, `needs_width`: what it says of a format comes to something.
AskedFormats ReadFormats(plan::JsonReader& reader, AskedFormats formats, bool needs_width) {
  const auto change = [&](const char* key, Asked& asked, bool of_weight) {
    if (!reader.Has(key)) return;
    asked = ReadFormatChange(reader.Object(key), asked, of_weight);
    if (needs_width && !asked.has_width)
      reader.Fail(key, "bits among it, here or in the file's own, since what is given no width stays in float");
  };
  change("weight", formats.weight, true);
  change("activation", formats.activation, false);
  return formats;
}

Asked AskedFor(const Format& format) { return {format.bits == 32 ? format.WithBits(8) : format, format.bits != 32}; }

}  // namespace

Configuration ReadConfiguration(const std::filesystem::path& file, const Configuration& defaults) {
  plan::JsonReader reader =
      plan::JsonReader::FromText(plan::YamlFileAsJson(file), file.string(), "bitplan.configuration/1");
  Configuration configuration = defaults;
  const bool has_rules = reader.Has("layers");
  const AskedFormats own =
      ReadFormats(reader, {AskedFor(defaults.weight), AskedFor(defaults.activation)}, /*needs_width=*/!has_rules);
  configuration.weight = own.weight.Resolved();
  configuration.activation = own.activation.Resolved();
  if (reader.Has("corrections"))
    configuration.corrections = plan::ReadCorrectionsChange(reader.Object("corrections"), configuration.corrections);
  configuration.rules.clear();
  if (has_rules)
    for (plan::JsonReader& rule : reader.Objects("layers")) {
      const std::string match = rule.String("match");
      const AskedFormats read = ReadFormats(rule, own, /*needs_width=*/true);
      rule.Finish();
      configuration.rules.push_back({match, read.weight.Resolved(), read.activation.Resolved()});
    }
  reader.Finish();
  return configuration;
}

}  // namespace bitplan
