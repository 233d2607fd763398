#include "cli/format_options.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "bitplan/analyze.h"
#include "cli/number_option.h"

namespace bitplan::cli {

namespace {

Format ReadFormat(const CommandLine& line, const std::string& prefix, Format format) {
  format.type = ParseNumberType(line.Get<std::string>(prefix + "-type"));
  format.scale_type = ParseScaleType(line.Get<std::string>(prefix + "-scales"));
  if (format.type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
  format.scheme = ParseScheme(line.Get<std::string>(prefix + "-scheme"));
  format.calibrator = ParseCalibrator(line.Get<std::string>(prefix + "-calibrator"));
  format.percentile = line.Get<double>("percentile");
  format.deviations = line.Get<double>("deviations");
  format.reduce_range = line.Get<bool>("reduce-range");
  return format;
}

}  // namespace

void AddFormatOptions(CommandLine& line) {
  const AnalyzeOptions defaults;
  const auto text = [](std::string_view view) { return po::value<std::string>()->default_value(std::string(view)); };
  line.Add()("weight-type", text(ToString(defaults.weight_format.type)),
             "integer, binary, ternary, power-of-two, e4m3, e5m2, e2m1, nf4 or bfloat16; 16 and 32 bits are float16 "
             "and float32")("weight-scheme", text(ToString(defaults.weight_format.scheme)),
                            "of integers: symmetric, asymmetric or unsigned")(
      "weight-granularity", text(ToString(defaults.weight_format.granularity)),
      "channel, tensor, group or block: what shares a scale")(
      "weight-group", Number<int>(WholeFrom(0), defaults.weight_format.group_size),
      "values of a group or block")("weight-scales", text(ToString(defaults.weight_format.scale_type)),
                                    "float32, power-of-two or double-quantized")(
      "weight-calibrator", text(ToString(defaults.weight_format.calibrator)),
      "mse, max, percentile, entropy, average-max, moving-average, deviations, laplace or gauss")(
      "narrow-range", po::bool_switch(), "symmetric weights without the lowest value of the grid")(
      "reduce-range", po::bool_switch(),
      "integers of weights and layer inputs on the grid of one bit less, for kernels that add pairs of products in 16 "
      "bits")("activation-type", text(ToString(defaults.activation_format.type)),
              "integer, power-of-two, e4m3, e5m2, e2m1 or bfloat16")(
      "activation-scheme", text(ToString(defaults.activation_format.scheme)),
      "of integers: symmetric, asymmetric, unsigned or auto-signed (unsigned where nothing is negative, else "
      "symmetric)")("activation-scales", text(ToString(defaults.activation_format.scale_type)),
                    "float32 or power-of-two")("activation-calibrator",
                                               text(ToString(defaults.activation_format.calibrator)),
                                               "as for weights, or dynamic: of each batch, at run time")(
      "percentile",
      Number<double>(NumberAboveUpTo(0, 100), defaults.weight_format.percentile),
      "of the percentile calibrator")(
      "deviations",
      Number<double>(NumberAbove(0), defaults.weight_format.deviations),
      "standard deviations of the calibrator of that name");
}

Formats ReadFormats(const CommandLine& line) {
  const AnalyzeOptions defaults;
  Formats formats{ReadFormat(line, "weight", defaults.weight_format),
                  ReadFormat(line, "activation", defaults.activation_format)};
  formats.weight.granularity = ParseGranularity(line.Get<std::string>("weight-granularity"));
  formats.weight.group_size = line.Get<int>("weight-group");
  formats.weight.narrow_range = line.Get<bool>("narrow-range");
  return formats;
}

}  // namespace bitplan::cli
