#include "shifts/output_shifts.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "bitplan/error.h"
#include "shifts/shift_figures.h"

namespace bitplan::hessian {

namespace {

constexpr std::int64_t kFewestSamples = 32;  // judged; with fewer, a standard error is itself too uncertain to stop by

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

}  // namespace

OutputShiftFigures::OutputShiftFigures(const AnalysisContext& context, std::shared_ptr<ChoiceOutputs> outputs)
    : context_(context),
      outputs_(std::move(outputs)),
      labels_(options().criterion.ReadsLabels() ? context.data.labels() : at::Tensor()),
      counts_(options().criterion, labels_) {}

OutputShiftFigures::Blocks OutputShiftFigures::FindBlocks() {
  const auto found = context_.records.Common("samples at once for output shifts, predictions and classes", 3, [&] {
    const ShiftPasses& passes = outputs_->Passes();
    const at::Tensor predictions = ByPrediction(options().criterion, passes.output_of_one());
    return std::vector<std::int64_t>{passes.chunk(), predictions.size(1), predictions.size(-1)};
  });
  return {found.at(0), found.at(1), found.at(2)};
}

std::int64_t OutputShiftFigures::Units() {
  if (outputs_->All().choices.empty()) return 0;
  const std::int64_t samples = FindBlocks().samples;
  return (context_.data.size() + samples - 1) / samples;
}

BlockFigures OutputShiftFigures::Figures(std::int64_t unit) {
  const Blocks blocks = FindBlocks();
  const std::int64_t begin = unit * blocks.samples, end = std::min(begin + blocks.samples, context_.data.size());
  const std::string figures = fmt::format("figures of samples {} to {}", begin, end - 1),
                    shifts = fmt::format("shifts of samples {} to {}", begin, end - 1);
  const std::size_t choices = outputs_->All().choices.size();
  const auto samples = static_cast<std::size_t>(end - begin),
             of_output = static_cast<std::size_t>(counts_.Counted(begin, end, blocks.predictions) * blocks.classes);
  BlockFigures computed, block;
  const auto compute = [&]() -> const BlockFigures& {
    if (computed.contributions.empty() && computed.logits.empty()) computed = ComputeFigures(begin, end);
    return computed;
  };
  if (options().keep_shifts) {
    const std::vector<float> outputs = context_.records.Get<float>(shifts, (choices + 1) * of_output, [&] {
      std::vector<float> both = compute().logits;
      both.insert(both.end(), computed.shifts.begin(), computed.shifts.end());
      return both;
    });
    block.logits.assign(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(of_output));
    block.shifts.assign(outputs.begin() + static_cast<std::ptrdiff_t>(of_output), outputs.end());
  }
  block.contributions = context_.records.Get<double>(figures, options().measures.size() * choices * samples,
                                                     [&] { return compute().contributions; });
  return block;
}

BlockFigures OutputShiftFigures::ComputeFigures(std::int64_t begin, std::int64_t end) {
  const std::vector<Measure>& measures = options().measures;
  const std::size_t choices = outputs_->All().choices.size();
  const bool keep = options().keep_shifts;
  BlockFigures block;
  const auto samples = static_cast<std::size_t>(end - begin);
  block.contributions.resize(measures.size() * choices * samples);
  std::vector<std::vector<float>> shifts(keep ? choices : 0);
  outputs_->Passes().Run(begin, end, [&](const at::Tensor& logits, std::size_t choice, const at::Tensor& shift) {
    ShiftJudge judge{logits, {}, options().criterion};
    if (labels_.defined()) judge.labels = labels_.narrow(0, begin, end - begin);
    for (std::size_t m = 0; m < measures.size(); ++m) {
      const at::Tensor values = judge.OfSamples(measures[m], shift).contiguous();
      CheckCount(values, samples);
      std::copy_n(values.const_data_ptr<double>(), samples,
                  block.contributions.begin() + static_cast<std::ptrdiff_t>((m * choices + choice) * samples));
    }
    if (!keep) return;
    if (block.logits.empty()) AppendRows(block.logits, judge, logits);
    AppendRows(shifts[choice], judge, shift);
  });
  for (const std::vector<float>& of_choice : shifts)
    block.shifts.insert(block.shifts.end(), of_choice.begin(), of_choice.end());
  return block;
}

void OutputShiftFigures::Finish() {
  Sensitivity& result = context_.result;
  const std::vector<Measure>& measures = options().measures;
  ClearTiedInputs(measures, result.layers);
  const Alternatives& all = outputs_->All();
  const std::int64_t units = Units();
  if (units == 0) return;
  const Blocks blocks = FindBlocks();
  CollectedFigures collected(measures.size(), all.choices.size());
  for (std::int64_t unit = 0; unit < units; ++unit) {
    collected.Add(Figures(unit));
    result.samples = std::min((unit + 1) * blocks.samples, context_.data.size());
    const std::int64_t judged = counts_.Judged(result.samples);
    if ((options().precision == 0 || judged == 0) && result.samples < context_.data.size()) continue;
    for (std::size_t i = 0; i < all.choices.size(); ++i)
      for (std::size_t m = 0; m < measures.size(); ++m)
        all.Figures(result.layers, i).figures[measures[m]] =
            MeanOfSamples(collected.Contributions(m, i, counts_.Factor(result.samples)));
    if (options().precision > 0 && judged >= kFewestSamples &&
        WorstRelativeError(result, measures.front()) <= options().precision)
      break;
  }
  if (!measures.empty()) {
    result.contributions = collected.ContributionTable(measures, all, counts_.Factor(result.samples));
    result.contributions->predictions = counts_.Of(result.samples);
  }
  if (options().keep_shifts) result.shifts = collected.ShiftTable(blocks.classes, all);
}

}  // namespace bitplan::hessian
