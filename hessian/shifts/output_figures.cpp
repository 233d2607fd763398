#include "shifts/output_figures.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "process/memory_limit.h"
#include "shifts/alternatives.h"
#include "shifts/prediction_counts.h"
#include "shifts/shift_figures.h"
#include "shifts/shift_passes.h"

namespace bitplan::hessian {

namespace {

constexpr std::int64_t kFewestSamples = 32;  // judged; with fewer, a standard error is itself too uncertain to stop by

/// What one chunk of samples adds.
struct ChunkFigures {
  std::vector<double> contributions;  ///< [measures, choices, samples of the chunk]
  std::vector<float> logits,
      shifts;  ///< [samples, classes], [choices, samples, classes]; empty where they are not kept
};

/// Before its memory is read: one number a sample.
void CheckCount(const at::Tensor& values, std::size_t samples) {
  if (static_cast<std::size_t>(values.numel()) != samples)
    throw Error(
        fmt::format("{} figures come of {} samples: the network's output does not count them along its first axis",
                    values.numel(), samples));
}

/// Appends an output's predictions that count as rows of classes.
void AppendRows(std::vector<float>& rows, const ShiftJudge& judge, const at::Tensor& output) {
  at::Tensor predictions = ByPrediction(judge.criterion, output);
  if (const at::Tensor counted = CountedPredictions(judge.criterion, output, judge.labels); counted.defined())
    predictions = predictions.index({counted});
  predictions = predictions.contiguous();
  rows.insert(rows.end(), predictions.const_data_ptr<float>(),
              predictions.const_data_ptr<float>() + predictions.numel());
}

/// Computes chunks, or takes them from the journal.
class ChunkSource {
 public:
  ChunkSource(const ShiftPasses& passes, ShiftJudge judge, at::Tensor labels, const PredictionCounts& counts,
              std::vector<Measure> measures, std::size_t choices, bool keep)
      : passes_(passes),
        counts_(counts),
        judge_(std::move(judge)),
        labels_(std::move(labels)),
        measures_(std::move(measures)),
        choices_(choices),
        keep_(keep),
        predictions_(ByPrediction(judge_.criterion, passes.output_of_one()).size(1)),
        classes_(ByPrediction(judge_.criterion, passes.output_of_one()).size(-1)) {}

  std::int64_t classes() const { return classes_; }

  ChunkFigures Get(std::int64_t begin, std::int64_t end, files::Journal& journal) const {
    const std::string step = fmt::format("figures of samples {} to {}", begin, end - 1),
                      kept = "shifts" + step.substr(7);
    const auto samples = static_cast<std::size_t>(end - begin),
               of_output = static_cast<std::size_t>(counts_.Counted(begin, end, predictions_) * classes_);
    std::optional<std::vector<double>> contributions =
        journal.Find<double>(step, measures_.size() * choices_ * samples);
    std::optional<std::vector<float>> outputs =
        keep_ ? journal.Find<float>(kept, (choices_ + 1) * of_output) : std::vector<float>();
    ChunkFigures chunk;
    if (!contributions || !outputs) {
      chunk = Compute(begin, end);
      if (keep_) {
        outputs = chunk.logits;
        outputs->insert(outputs->end(), chunk.shifts.begin(), chunk.shifts.end());
        journal.Add(kept, *outputs);
      }
      journal.Add(step, chunk.contributions);
      return chunk;
    }
    chunk.contributions = std::move(*contributions);
    const auto logits = static_cast<std::ptrdiff_t>(outputs->size() / (choices_ + 1));
    chunk.logits.assign(outputs->begin(), outputs->begin() + logits);
    chunk.shifts.assign(outputs->begin() + logits, outputs->end());
    return chunk;
  }

 private:
  ChunkFigures Compute(std::int64_t begin, std::int64_t end) const {
    ChunkFigures chunk;
    const auto samples = static_cast<std::size_t>(end - begin);
    chunk.contributions.resize(measures_.size() * choices_ * samples);
    std::vector<std::vector<float>> shifts(keep_ ? choices_ : 0);
    passes_.Run(begin, end, [&](const at::Tensor& logits, std::size_t choice, const at::Tensor& shift) {
      ShiftJudge judge = judge_;
      judge.logits = logits;
      if (labels_.defined()) judge.labels = labels_.narrow(0, begin, end - begin);
      for (std::size_t m = 0; m < measures_.size(); ++m) {
        const at::Tensor values = judge.OfSamples(measures_[m], shift).contiguous();
        CheckCount(values, samples);
        std::copy_n(values.const_data_ptr<double>(), samples,
                    chunk.contributions.begin() + static_cast<std::ptrdiff_t>((m * choices_ + choice) * samples));
      }
      if (!keep_) return;
      if (chunk.logits.empty()) AppendRows(chunk.logits, judge, logits);
      AppendRows(shifts[choice], judge, shift);
    });
    for (const std::vector<float>& of_choice : shifts)
      chunk.shifts.insert(chunk.shifts.end(), of_choice.begin(), of_choice.end());
    return chunk;
  }

  const ShiftPasses& passes_;
  const PredictionCounts& counts_;
  ShiftJudge judge_;
  at::Tensor labels_;
  std::vector<Measure> measures_;
  std::size_t choices_;
  bool keep_;
  std::int64_t predictions_, classes_;  // of a sample, of each
};

/// Chunks put together, in the order of samples.
class Collected {
 public:
  Collected(std::size_t measures, std::size_t choices)
      : choices_(choices), contributions_(measures * choices), shifts_(choices) {}

  void Add(const ChunkFigures& chunk) {
    const std::size_t samples = chunk.contributions.size() / std::max<std::size_t>(1, contributions_.size());
    for (std::size_t i = 0; i < contributions_.size(); ++i) Append(contributions_[i], chunk.contributions, i, samples);
    logits_.insert(logits_.end(), chunk.logits.begin(), chunk.logits.end());
    for (std::size_t i = 0; i < shifts_.size(); ++i) Append(shifts_[i], chunk.shifts, i, chunk.logits.size());
  }

  /// Each times `factor`.
  std::vector<double> Contributions(std::size_t measure, std::size_t choice, double factor) const {
    std::vector<double> values = contributions_[measure * choices_ + choice];
    if (factor != 1) std::transform(values.begin(), values.end(), values.begin(), [&](double v) { return factor * v; });
    return values;
  }

  /// As tables of all of the alternatives' rows.
  bitplan::Contributions ContributionTable(const std::vector<Measure>& measures, const Alternatives& all,
                                           double factor) const {
    bitplan::Contributions table{measures, all.row_count, contributions_.front().size(), {}};
    table.values.resize(measures.size() * table.choices * table.samples);
    for (std::size_t m = 0; m < measures.size(); ++m)
      for (std::size_t i = 0; i < choices_; ++i) {
        const std::vector<double> values = Contributions(m, i, factor);
        std::copy(
            values.begin(), values.end(),
            table.values.begin() + static_cast<std::ptrdiff_t>((m * table.choices + all.rows[i]) * table.samples));
      }
    return table;
  }

  OutputShifts ShiftTable(std::int64_t classes, const Alternatives& all) const {
    OutputShifts table;
    table.classes = static_cast<std::size_t>(classes);
    table.logits = logits_;
    table.samples = logits_.size() / table.classes;
    table.shifts.resize(all.row_count * logits_.size());
    for (std::size_t i = 0; i < choices_; ++i)
      std::copy(shifts_[i].begin(), shifts_[i].end(),
                table.shifts.begin() + static_cast<std::ptrdiff_t>(all.rows[i] * logits_.size()));
    return table;
  }

 private:
  template <typename T>
  static void Append(std::vector<T>& to, const std::vector<T>& parts, std::size_t part, std::size_t size) {
    const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(part * size);
    to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }

  std::size_t choices_;
  std::vector<std::vector<double>> contributions_;  // [measures · choices] of samples
  std::vector<float> logits_;
  std::vector<std::vector<float>> shifts_;
};

std::vector<Measure> WantedShiftMeasures(const AnalyzeOptions& options) {
  std::vector<Measure> wanted;
  for (const Measure measure : options.measures)
    if (IsOfShifts(measure) && std::find(wanted.begin(), wanted.end(), measure) == wanted.end())
      wanted.push_back(measure);
  return wanted;
}

bool WantsOutputError(const AnalyzeOptions& options) {
  return std::find(options.measures.begin(), options.measures.end(), Measure::OutputError) != options.measures.end();
}

/// Of figures, and of shifts where they are kept: as they are collected, and in the tables that are made of them.
std::int64_t KeptBytes(const Network& network, const Dataset& data, std::size_t choices, std::size_t measures,
                       bool shifts) {
  const at::NoGradGuard no_gradient;
  const std::int64_t outputs =
      shifts ? network.Forward(data.Get(0, 1, at::Device(network.device())).inputs).numel() : 0;
  const auto figures = static_cast<std::int64_t>(measures * sizeof(double)),
             of_shift = outputs * static_cast<std::int64_t>(sizeof(float));
  return 2 * data.size() * static_cast<std::int64_t>(choices + 1) * (figures + of_shift);
}

/// Layers that read what another one's choice quantizes already: nothing is left for them.
void ClearTiedInputs(const AnalyzeOptions& options, std::vector<LayerSensitivity>& layers) {
  for (LayerSensitivity& layer : layers)
    for (Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32 && layer.tied_group >= 0)
        for (const Measure measure : options.measures)
          if (IsOfShifts(measure) || measure == Measure::OutputError) choice.figures[measure] = {};
}

}  // namespace

bool NeedsOutputFigures(const AnalyzeOptions& options) {
  return options.keep_shifts || WantsOutputError(options) || !WantedShiftMeasures(options).empty();
}

void AddOutputFigures(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
                      const AnalyzeOptions& options, files::Journal& journal, Sensitivity& sensitivity) {
  std::vector<LayerSensitivity>& layers = sensitivity.layers;
  const Alternatives all(options, layers);
  const auto choices = quantize::SingleChoices::Fit(
      network, weights, all.choices, data,
      {{options.batch_size, options.memory_bytes}, options.channel_correction, options.progress});
  ClearTiedInputs(options, layers);
  if (WantsOutputError(options))
    for (std::size_t i = 0; i < choices.size(); ++i) {
      // Recurrent layers and embeddings have no output of their own: what is known is the change of the tensor itself.
      Perturbation& figures = all.Figures(layers, i);
      figures.figures[Measure::OutputError] = {choices.OutputError(i).value_or(figures.relative_error), 0};
    }
  const std::vector<Measure> measures = WantedShiftMeasures(options);
  if (choices.size() == 0 || (measures.empty() && !options.keep_shifts)) return;

  const ShiftJudge judge{{}, {}, ResolveLoss(network, data, options.loss, options.temperature)};
  const at::Tensor labels = judge.criterion.labelled ? data.labels() : at::Tensor();
  const std::int64_t kept = KeptBytes(network, data, choices.size(), measures.size(), options.keep_shifts);
  process::CheckOneSampleFits(kept + choices.bytes(), options.memory_bytes,
                              fmt::format("what is kept of {} choices on {} samples", choices.size(), data.size()));
  const PassLimits limits = PassLimits(options.batch_size, options.memory_bytes).Beside(kept + choices.bytes());
  const ShiftPasses passes(network, data, choices, {options.delta, limits.memory_bytes, options.progress});
  const PredictionCounts counts(judge.criterion, labels);
  const ChunkSource source(passes, judge, labels, counts, measures, choices.size(), options.keep_shifts);
  Collected collected(measures.size(), choices.size());
  sensitivity.samples = 0;
  while (sensitivity.samples < data.size()) {
    const std::int64_t begin = sensitivity.samples, end = std::min(begin + passes.chunk(), data.size());
    collected.Add(source.Get(begin, end, journal));
    sensitivity.samples = end;
    const std::int64_t judged = counts.Judged(end);
    if ((options.precision == 0 || judged == 0) && end < data.size()) continue;
    for (std::size_t i = 0; i < choices.size(); ++i)
      for (std::size_t m = 0; m < measures.size(); ++m)
        all.Figures(layers, i).figures[measures[m]] = MeanOfSamples(collected.Contributions(m, i, counts.Factor(end)));
    if (options.precision > 0 && judged >= kFewestSamples &&
        WorstRelativeError(sensitivity, options.measures.front()) <= options.precision)
      break;
  }
  if (!measures.empty()) {
    sensitivity.contributions = collected.ContributionTable(measures, all, counts.Factor(sensitivity.samples));
    sensitivity.contributions->predictions = counts.Of(sensitivity.samples);
  }
  if (options.keep_shifts) sensitivity.shifts = collected.ShiftTable(source.classes(), all);
}

}  // namespace bitplan::hessian
