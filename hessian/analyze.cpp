#include "bitplan/analyze.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>

#include "analysis_plan.h"
#include "analysis_run.h"
#include "bitplan/error.h"
#include "bitplan/version.h"
#include "layer_facts.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

void ValidateWidths(const std::string& option, const std::vector<int>& widths) {
  if (widths.empty()) throw Error(fmt::format("{} is empty, needs at least one width", option));
  for (const int bits : widths) {
    if (IsWidth(bits)) continue;
    throw Error(fmt::format("{} holds {}, widths to choose from are {}", option, bits, fmt::join(kAllWidths, ", ")));
  }
}

DataSource SourceOf(const Dataset& data) {
  DataSource source;
  if (!data.sha256().empty()) source.spec = data.source();
  source.sha256 = data.sha256();
  source.samples = data.size();
  source.mean = data.mean();
  source.std = data.std();
  source.ignored_labels = data.ignored_labels();
  source.context = data.options().context;
  source.resize = data.options().resize;
  source.crop = data.options().crop;
  if (source.resize != 0) source.interpolation = data.options().interpolation;
  return source;
}

/// With the least of the widths: one that the format's type has.
Format WithLeast(const Format& format, const std::vector<int>& widths) {
  return format.WithBits(*std::min_element(widths.begin(), widths.end()));
}

constexpr text::Names<Delta, 3> kDeltas = {
    {{Delta::Linear, "linear"}, {Delta::Measured, "measured"}, {Delta::Auto, "auto"}}};

}  // namespace

BITPLAN_ENUM_NAMES(Delta, kDeltas, "delta")
Delta ParseDelta(std::string_view text) { return Parse<Delta>(text); }

void AnalyzeOptions::Validate() const {
  ValidateWidths("weight_bits", weight_bits);
  ValidateWidths("activation_bits", activation_bits);
  if (measures.empty()) throw Error("measures is empty, needs at least one measure");
  for (const int bits : weight_bits) weight_format.WithBits(bits).Validate();
  for (const int bits : activation_bits) activation_format.WithBits(bits).ValidateForActivations();
  if (!(temperature > 0)) throw Error(fmt::format("temperature is {}, must be above 0", temperature));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
  if (curvature_samples < 1) throw Error(fmt::format("curvature_samples is {}, must be at least 1", curvature_samples));
  if (!(precision >= 0 && precision < 1))
    throw Error(fmt::format("precision is {}, must be at least 0 (all of the data) and below 1", precision));
  if (precision > 0 && !IsOfShifts(measures.front()))
    throw Error(
        fmt::format("a precision is of the first measure, and {} has no standard error that falls with the samples: "
                    "name one first that judges the "
                    "output's shifts, as logit-shift does",
                    ToString(measures.front())));
  if (batch_size < 1) throw Error(fmt::format("batch_size is {}, must be at least 1", batch_size));
  eigen.Validate();
  trace.Validate();
}

Sensitivity Outline(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  options.Validate();
  if (network.layers().empty()) throw Error("no layer of this network can be quantized; inspect says why");
  Sensitivity result;
  result.tool_version = Version();
  result.model_sha256 = network.sha256();
  result.weights_sha256 = network.weights_sha256();
  result.data = SourceOf(data);
  result.seed = options.seed;
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  if (options.keep_shifts && criterion.outputs == OutputKind::Several)
    throw Error(
        "shifts of the output, as joint problems take them, are kept of one output, and all are taken: name one");
  result.loss = criterion.loss;
  if (criterion.module) result.loss_module_sha256 = criterion.module->sha256();
  result.outputs = criterion.outputs;
  result.class_axis = criterion.class_axis;
  result.temperature = options.temperature;
  result.fold_batch_norm = network.batch_norm_folded();
  result.input_values = network.input_values();
  result.channel_correction = options.channel_correction;
  result.operands = options.operands;
  result.weight_format = WithLeast(options.weight_format, options.weight_bits);
  result.activation_format = WithLeast(options.activation_format, options.activation_bits);
  result.samples = data.size();
  result.layers = hessian::LayerFacts(network, data, hessian::ChoicesOf(options));
  return result;
}

Sensitivity Analyze(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  Sensitivity outline = Outline(network, data, options);
  files::Journal journal;
  if (!options.checkpoint.empty()) journal = {options.checkpoint, hessian::AnalysisSubject(network, data, options)};
  hessian::AnalysisRecords records(std::move(journal));
  return hessian::AnalysisRun(network, data, options, std::move(outline), std::move(records)).Finish();
}

}  // namespace bitplan
