#include "options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "bitplan/error.h"
#include "format_options.h"
#include "image_options.h"
#include "memory_option.h"
#include "number_option.h"
#include "values.h"

namespace bitplan::cli {

void AddModelOptions(CommandLine& line) {
  const NetworkOptions defaults;
  line.Add({
      {"output", TextOrShown(defaults.output, "", "NAME|INDEX|all"),
       "which output of the model to use, where it has several, or all, or names with commas between: each is judged "
       "by itself, and the sum counts"},
      {"no-fold-batch-norm", Flag(), "keep batch norm as an operator of its own"},
      {"input-value", Texts("NAME=VALUE"), "of an input that is no tensor: sr=16000"},
      {"device", DeviceName()->default_value(defaults.device)->value_name("NAME"), "where it is computed"},
      {"class-axis",
       Number<std::int64_t>({[](double axis) { return axis >= 1 || axis == -1; }, "an axis from 1 on, or -1"})
           ->value_name("AXIS"),
       "of the output [N, …] with the classes, -1 is the last; default: as the labels tell, else the last of [N, T, C] "
       "and 1 of others"},
  });
  AddMemoryOption(line);
}

NetworkOptions ReadModelOptions(const CommandLine& line) {
  NetworkOptions options;
  options.output = line.Get<std::string>("output");
  options.fold_batch_norm = !line.Get<bool>("no-fold-batch-norm");
  options.device = line.Get<std::string>("device");
  for (const std::string& text : line.List("input-value")) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(fmt::format("--input-value {}: expected NAME=VALUE, as in sr=16000", text));
    if (!options.input_values.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      throw Error(fmt::format("--input-value {}: the value of that input is given twice", text));
  }
  if (line.Has("loss-module")) options.loss_module = line.Get<std::string>("loss-module");
  if (line.Has("metric-module")) options.metric_module = line.Get<std::string>("metric-module");
  if (line.Has("class-axis")) options.class_axis = line.Get<std::int64_t>("class-axis");
  return options;
}

void MatchPlan(const Plan& plan, NetworkOptions& options) {
  options.fold_batch_norm = plan.fold_batch_norm;
  options.operand_sites = options.operand_sites || !plan.operands.empty();
  for (const auto& [name, value] : plan.input_values) options.input_values.try_emplace(name, value);
}

void AddPreparationOptions(CommandLine& line) {
  line.Add({
      {"context", Number<std::int64_t>(WholeFrom(1)),
       "tokens of a window, of tokens:FILE; default: all of a row but its last, in data that has rows"},
      {"seed", Number<std::uint64_t>(NotNegative(), DataOptions().seed), "of every random draw"},
      {"mean", Decimals({})->value_name("M,M,M"),
       "per-channel mean of pixels in [0, 1], of CIFAR 0.485,0.456,0.406 by default"},
      {"std", Decimals(NumberAbove(0))->value_name("S,S,S"),
       "per-channel deviation, of CIFAR 0.229,0.224,0.225 by default"},
      {"ignore-label", po::value<std::vector<std::int64_t>>()->value_name("N"),
       "predictions with this label do not count, 255 for pixels; those with -100 never do (in labels that are "
       "integers, or floats of 0 and 1); default: those that a plan was analyzed with"},
  });
  AddImageOptions(line);
}

void AddSampleOptions(CommandLine& line, std::int64_t default_samples) {
  const std::string shown = default_samples == 0 ? "all" : std::to_string(default_samples);
  line.Add({{"samples", Number<std::int64_t>(WholeFrom(0))->default_value(default_samples, shown),
             "samples drawn from the data; the default takes fewer where there are fewer"}});
  AddPreparationOptions(line);
}

DataOptions ReadSampleOptions(const CommandLine& line, const Network& network) {
  DataOptions options;
  options.input_names = network.input_names();
  options.memory_bytes = MemoryOfData(line, network);
  if (line.Has("samples")) options.samples = line.Get<std::int64_t>("samples");
  options.fewer_allowed = line.IsDefault("samples");
  options.seed = line.Get<std::uint64_t>("seed");
  if (line.Has("context")) options.context = line.Get<std::int64_t>("context");
  if (line.Has("mean")) options.mean = ParseNumbers("mean", line.Get<std::string>("mean"));
  if (line.Has("std")) options.std = ParseNumbers("std", line.Get<std::string>("std"));
  if (line.Has("ignore-label")) options.ignored_labels = line.Get<std::vector<std::int64_t>>("ignore-label");
  ReadImageOptions(line, options);
  options.Validate();
  return options;
}

void AddBatchOption(CommandLine& line, const OfWhat& of) {
  line.Add({{"batch-size", Number<std::int64_t>(WholeFrom(1), AnalyzeOptions().batch_size),
             "samples a pass at the most", of}});
}

void AddLossOption(CommandLine& line) {
  line.Add({{"loss", EnumOr(Loss::Auto),
             "what outputs are judged by; without labels divergence (of classes), mean-squared-error or logit-shift; "
             "auto goes by the labels, without them by the output's shape: divergence of [N, C] and [N, T, C], "
             "mean-squared-error of one output a sample and of maps; one of"},
            {"loss-module", ReadFile(),
             "a loss of one's own in place of --loss: TorchScript or torch.export file that takes the output and the "
             "labels (or the output alone) and gives a number for each sample"}});
}

Loss ReadLossOption(const CommandLine& line) {
  const auto loss = line.GetEnum<Loss>("loss");
  const bool has_module = line.Has("loss-module");
  if (has_module && loss != Loss::Auto && loss != Loss::Module)
    throw Error(fmt::format("--loss {} and --loss-module: outputs are judged by one of them; leave out the other",
                            ToString(loss)));
  if (!has_module && loss == Loss::Module) throw Error("--loss module needs the model file of it: --loss-module FILE");
  return loss;
}

void AddMetricOption(CommandLine& line, const OfWhat& of) {
  line.Add({{"metric-module", ReadFile(),
             "TorchScript or torch.export file that takes the output and the labels and gives a number for each "
             "sample: its mean is shown beside the rest",
             of}});
}

namespace {

/// What options of measures are of that some of them alone go by.
template <typename Predicate>
OfWhat OfMeasures(Predicate goes_by) {
  std::vector<std::string> names;
  for (const std::string_view name : AllNames<Measure>())
    if (goes_by(Parse<Measure>(name))) names.emplace_back(name);
  OfWhat of{{"measure", names}, {"measures", names}};
  of.back().values.emplace_back("all");
  return of;
}

}  // namespace

void AddLossOptions(CommandLine& line) {
  AddLossOption(line);
  OfWhat of = OfMeasures([](Measure measure) { return measure == Measure::Divergence; });
  of.push_back({"loss", {std::string(ToString(Loss::Divergence)), std::string(ToString(Loss::Auto))}});
  line.Add({{"temperature", Number<double>(NumberAbove(0), AnalyzeOptions().temperature), "of the divergence", of}});
}

void AddAnalyzeOptions(CommandLine& line) {
  const AnalyzeOptions defaults;
  const OfWhat of_curvature =
      OfMeasures([](Measure measure) { return measure == Measure::Trace || measure == Measure::Eigenvalue; });
  const OfWhat of_matrix = OfMeasures([](Measure measure) {
    return measure == Measure::Trace || measure == Measure::Eigenvalue || measure == Measure::Fisher;
  });
  OfWhat of_shifts = OfMeasures(IsOfShifts);
  of_shifts.push_back({"shifts"});
  line.Add({
      {"weight-bits", Integers(Width())->default_value(fmt::format("{}", fmt::join(defaults.weight_bits, ","))),
       "widths to choose from for weights"},
      {"activation-bits", Integers(Width())->default_value(fmt::format("{}", fmt::join(defaults.activation_bits, ","))),
       "widths to choose from for layer inputs; 32 leaves them in float"},
  });
  AddFormatOptions(line);
  line.Add({
      {"delta", EnumOr(defaults.delta), "how the output's shifts are found; linear is to first order", of_shifts},
      {"precision",
       OnePercentage(Percent(false, false, "as 5%; without it all of the data is taken"))->value_name("PERCENT"),
       "take samples until every figure of the first measure is known to this", of_shifts},
      {"compute", EnumOr(defaults.compute), "what the passes of weights' curvature compute in", of_matrix},
      {"exact-hessian", Flag(), "eigenvalues and traces of weights from the Hessian, not the Gauss-Newton matrix",
       of_curvature},
      {"curvature-samples", Number<std::int64_t>(WholeFrom(1), defaults.curvature_samples),
       "second derivatives are taken on the first so many samples", of_curvature},
      {"output-correction", EnumOr(defaults.channel_correction ? OutputCorrection::Channel : OutputCorrection::None),
       "of layers' output channels; but for none, shifts are those of a network whose channels are corrected"},
  });
  AddLossOptions(line);
}

void RefuseIdleTemperature(const CommandLine& line, const Criterion& criterion, const std::vector<Measure>& measures) {
  if (line.IsDefault("temperature") || criterion.loss == Loss::Divergence) return;
  if (std::count(measures.begin(), measures.end(), Measure::Divergence) == 0) line.RefuseAsIdle("temperature");
}

AnalyzeOptions ReadAnalyzeOptions(const CommandLine& line) {
  AnalyzeOptions options;
  options.weight_bits = ParseIntegers("weight-bits", line.Get<std::string>("weight-bits"));
  options.activation_bits = ParseIntegers("activation-bits", line.Get<std::string>("activation-bits"));
  const Formats formats = ReadFormats(line);
  options.weight_format = formats.weight;
  options.activation_format = formats.activation;
  options.loss = ReadLossOption(line);
  options.channel_correction = line.GetEnum<OutputCorrection>("output-correction") != OutputCorrection::None;
  options.temperature = line.Get<double>("temperature");
  options.delta = line.GetEnum<Delta>("delta");
  options.compute = line.GetEnum<Arithmetic>("compute");
  if (line.Has("precision")) options.precision = ParsePercent("precision", line.Get<std::string>("precision")) / 100;
  options.exact_hessian = line.Get<bool>("exact-hessian");
  options.curvature_samples = line.Get<std::int64_t>("curvature-samples");
  options.batch_size = line.Get<std::int64_t>("batch-size");
  options.seed = line.Get<std::uint64_t>("seed");
  options.Validate();
  return options;
}

void AddCorrectionOptions(CommandLine& line, const OfWhat& of) {
  const OfWhat of_smoothing{{"rescaling", {std::string(ToString(Rescaling::SmoothQuant))}}, {"plan"}, {"plan.json"}};
  line.Add({
      {"rescaling", EnumOf<Rescaling>("KIND"), "scales moved between layers first", of},
      {"smoothing", Number<double>(NumberWithin(0, 1))->value_name("ALPHA"),
       fmt::format("SmoothQuant's share of a range that weights take over; default {}", Corrections().smoothing),
       of_smoothing},
      {"rounding", EnumOf<Rounding>("KIND"), "of weights", of},
      {"outlier-threshold", Number<double>(NumberFrom(0))->value_name("T"),
       "input features of linear layers beyond this magnitude stay in float16, and their weights (LLM.int8(): 6); "
       "default 0: none",
       of},
  });
}

void AddOutputCorrectionOption(CommandLine& line, const OfWhat& of) {
  line.Add({{"output-correction", EnumOf<OutputCorrection>("KIND"), "of layers' output channels", of}});
}

Corrections ReadCorrections(const CommandLine& line, Corrections corrections) {
  if (line.Has("rescaling")) corrections.rescaling = line.GetEnum<Rescaling>("rescaling");
  if (line.Has("smoothing")) {
    if (corrections.rescaling != Rescaling::SmoothQuant) line.RefuseAsIdle("smoothing");
    corrections.smoothing = line.Get<double>("smoothing");
  }
  if (line.Has("rounding")) corrections.rounding = line.GetEnum<Rounding>("rounding");
  if (line.Has("outlier-threshold")) corrections.outlier_threshold = line.Get<double>("outlier-threshold");
  if (line.Has("output-correction")) corrections.output = line.GetEnum<OutputCorrection>("output-correction");
  corrections.Validate();
  return corrections;
}

}  // namespace bitplan::cli
