#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstddef>
#include <numeric>

#include "gauss_newton/gauss_newton_blocks.h"
#include "gauss_newton/matrix_figures.h"
#include "gauss_newton/sample_sums.h"
#include "shifts/shift_figures.h"

namespace bitplan::hessian {

namespace {

/// The squared changes of one layer's weight at some widths, as SampleForms takes them.
at::Tensor SquaredChanges(const AnalysisContext& context, std::size_t layer, const std::vector<int>& widths) {
  const at::Tensor weight = context.network.Weight(context.network.layers()[layer]);
  std::vector<at::Tensor> squares;
  for (const int bits : widths)
    squares.push_back((context.groundwork.Weights().At(layer, bits).value - weight).square());
  return FormColumns(at::stack(squares), weight);
}

}  // namespace

std::vector<int> MatrixSums::FisherWidths() const {
  std::vector<int> widths;
  if (!rows_->options().fisher) return widths;
  for (const int bits : context_.groundwork.choices().weight_widths)
    if (bits < 32) widths.push_back(bits);
  return widths;
}

std::size_t MatrixSums::Figures() const { return (rows_->options().traces ? 1 : 0) + FisherWidths().size(); }

/// Of each its number of samples, these, and its pieces of each layer, one block after the other.
const std::vector<MatrixSums::Block>& MatrixSums::Blocks() {
  if (blocks_) return *blocks_;
  const std::size_t layers = context_.network.layers().size();
  const std::vector<std::int64_t> numbers = context_.records.Common("blocks of Gauss-Newton sums", 1, [&] {
    const GaussNewton::Blocks found(rows_->Get());
    std::vector<std::int64_t> list;
    for (std::size_t block = 0; block < found.count(); ++block) {
      const std::vector<std::int64_t>& samples = found.samples(block);
      list.push_back(static_cast<std::int64_t>(samples.size()));
      list.insert(list.end(), samples.begin(), samples.end());
      for (std::size_t i = 0; i < layers; ++i) list.push_back(found.Pieces(block, i));
    }
    return list;
  });
  blocks_.emplace();
  for (auto at = numbers.begin(); at != numbers.end();) {
    const auto samples = at + 1, pieces = samples + *at, end = pieces + static_cast<std::ptrdiff_t>(layers);
    blocks_->push_back({{samples, pieces}, {pieces, end}});
    at = end;
  }
  return *blocks_;
}

std::int64_t MatrixSums::Units() { return Figures() == 0 ? 0 : static_cast<std::int64_t>(Blocks().size()); }

std::vector<double> MatrixSums::Numbers(std::size_t block) {
  const Block& of = Blocks()[block];
  const auto pieces = static_cast<std::size_t>(std::accumulate(of.pieces.begin(), of.pieces.end(), std::int64_t{0}));
  return context_.records.Get<double>(fmt::format("{}, block {}", name(), block),
                                      pieces * Figures() * of.samples.size(), [&] { return ComputeNumbers(block); });
}

std::vector<double> MatrixSums::ComputeNumbers(std::size_t block) {
  const at::NoGradGuard no_gradient;
  const Block& of = Blocks()[block];
  const bool traces = rows_->options().traces;
  const std::vector<int> widths = FisherWidths();
  const auto figures = static_cast<std::int64_t>(Figures()), samples = std::ssize(of.samples);
  std::vector<at::Tensor> sums;  // of each layer [pieces, figures, samples]
  for (const std::int64_t pieces : of.pieces) sums.push_back(at::zeros({pieces, figures, samples}, at::kDouble));
  std::size_t prepared = of.pieces.size();  // the layer whose columns these are
  at::Tensor columns;
  GaussNewton::Blocks(rows_->Get())
      .ForEachPiece(block,
                    [&](std::size_t layer, std::int64_t sample, std::int64_t piece, const at::Tensor& gradients) {
                      const at::Tensor sum = sums[layer][piece].narrow(1, sample, gradients.size(0));
                      if (traces) sum[0].copy_(SampleTraces(gradients));
                      if (widths.empty()) return;
                      if (prepared != layer) columns = SquaredChanges(context_, layer, widths);
                      prepared = layer;
                      sum.narrow(0, traces ? 1 : 0, std::ssize(widths)).copy_(SampleForms(gradients, columns));
                    });
  Report(rows_->options().matrix.progress, "Gauss-Newton matrix", static_cast<std::int64_t>(block + 1),
         std::ssize(Blocks()));
  std::vector<double> numbers;
  for (const at::Tensor& sum : sums)
    numbers.insert(numbers.end(), sum.const_data_ptr<double>(), sum.const_data_ptr<double>() + sum.numel());
  return numbers;
}

MatrixSums::OfSamples MatrixSums::Collect() {
  OfSamples sums(context_.network.layers().size());
  for (auto& of_layer : sums)
    of_layer.assign(Figures(), std::vector<double>(static_cast<std::size_t>(context_.data.size())));
  for (std::size_t b = 0; b < Blocks().size(); ++b) {
    const Block& block = Blocks()[b];
    const std::vector<double> numbers = Numbers(b);
    auto next = numbers.begin();
    for (std::size_t layer = 0; layer < sums.size(); ++layer)
      for (std::int64_t piece = 0; piece < block.pieces[layer]; ++piece)
        for (std::vector<double>& of_figure : sums[layer])
          for (const std::int64_t sample : block.samples) of_figure[static_cast<std::size_t>(sample)] += *next++;
  }
  return sums;
}

void MatrixSums::Finish() {
  const std::size_t figures = Figures();
  if (figures == 0) return;
  const bool traces = rows_->options().traces;
  const OfSamples sums = Collect();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    LayerSensitivity& layer = context_.result.layers[i];
    if (traces) {
      const auto& difference = layer.difference_from_float32;
      const TraceEstimate trace = MeanTrace(sums[i].front(), difference ? difference->trace : 0);
      layer.weight.trace = trace.value;
      layer.weight.trace_standard_error = trace.standard_error;
      layer.weight.trace_significant = trace.significant;
    }
    std::size_t figure = traces ? 1 : 0;
    for (Perturbation& choice : layer.weight_choices) {
      if (choice.bits == 32 || figure == figures) continue;
      const Estimate form = MeanOfSamples(sums[i][figure++]);
      choice.figures[Measure::Fisher] = {form.value / 2, form.standard_error / 2};
    }
  }
}

}  // namespace bitplan::hessian
