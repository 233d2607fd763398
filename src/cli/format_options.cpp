#include "format_options.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "bitplan/analyze.h"
#include "number_option.h"

namespace bitplan::cli {

namespace {

Format ReadFormat(const CommandLine& line, const std::string& prefix, Format format) {
  format.type = line.GetEnum<NumberType>(prefix + "-type");
  format.scale_type = line.GetEnum<ScaleType>(prefix + "-scales");
  if (format.type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
  format.scheme = line.GetEnum<Scheme>(prefix + "-scheme");
  format.calibrator = line.GetEnum<Calibrator>(prefix + "-calibrator");
  format.percentile = line.Get<double>("percentile");
  format.deviations = line.Get<double>("deviations");
  format.reduce_range = line.Get<bool>("reduce-range");
  return format;
}

/// What the options of this calibrator are of.
OfWhat OfCalibrator(Calibrator calibrator) {
  const std::string name(ToString(calibrator));
  return {{"weight-calibrator", {name}}, {"activation-calibrator", {name}}, {"layer-config"}};
}

}  // namespace

void AddFormatOptions(CommandLine& line) {
  const AnalyzeOptions defaults;
  line.Add({
      {"weight-type", EnumOr(defaults.weight_format.type),
       "of weights; 16 and 32 bits are float16 and float32 whatever it is"},
      {"weight-scheme", EnumOr(defaults.weight_format.scheme), "of integers"},
      {"weight-granularity", EnumOr(defaults.weight_format.granularity), "what shares a scale"},
      {"weight-group", Number<int>(WholeFrom(0), defaults.weight_format.group_size), "values of a group or block"},
      {"weight-scales", EnumOr(defaults.weight_format.scale_type), "what numbers scales are"},
      {"weight-calibrator", EnumOr(defaults.weight_format.calibrator),
       "how the range of values is chosen; dynamic is of activations"},
      {"narrow-range", Flag(), "symmetric weights without the lowest value of the grid"},
      {"reduce-range", Flag(),
       "integers of weights and layer inputs on the grid of one bit less, for kernels that add pairs of products in 16 "
       "bits"},
      {"activation-type", EnumOr(defaults.activation_format.type),
       "of layer inputs, where binary, ternary and nf4 are none"},
      {"activation-scheme", EnumOr(defaults.activation_format.scheme),
       "of integers; auto-signed is unsigned where nothing is negative, else symmetric"},
      {"activation-scales", EnumOr(defaults.activation_format.scale_type),
       "of one a tensor; double-quantized is of weights"},
      {"activation-calibrator", EnumOr(defaults.activation_format.calibrator),
       "as for weights; dynamic is of each batch, at run time"},
      {"percentile", Number<double>(NumberAboveUpTo(0, 100), defaults.weight_format.percentile),
       "of values that are inside the range", OfCalibrator(Calibrator::Percentile)},
      {"deviations", Number<double>(NumberAbove(0), defaults.weight_format.deviations),
       "standard deviations on each side of the mean", OfCalibrator(Calibrator::Deviations)},
  });
}

Formats ReadFormats(const CommandLine& line) {
  const AnalyzeOptions defaults;
  Formats formats{ReadFormat(line, "weight", defaults.weight_format),
                  ReadFormat(line, "activation", defaults.activation_format)};
  formats.weight.granularity = line.GetEnum<Granularity>("weight-granularity");
  formats.weight.group_size = line.Get<int>("weight-group");
  formats.weight.narrow_range = line.Get<bool>("narrow-range");
  return formats;
}

}  // namespace bitplan::cli
