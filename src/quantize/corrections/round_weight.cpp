#include "corrections/round_weight.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "bitplan/error.h"
#include "corrections/ada_round.h"
#include "corrections/gptq.h"
#include "quantize/weight_grid.h"
#include "tuning.h"

namespace bitplan::quantize {

namespace {

/// What rounding a block of so many values takes: its moments, and numbers for each weight.
std::int64_t BytesOf(Rounding rounding, const InputVectors& vectors, std::int64_t values) {
  constexpr std::int64_t kOfPanels = 2 * tuning::kGptqPanel * 8;
  return rounding == Rounding::Gptq ? values * (8 * values + kOfPanels + 32 * vectors.rows())
                                    : values * (12 * values + 88 * vectors.rows());
}

bool Fits(Rounding rounding, const InputVectors& vectors, std::int64_t values, std::int64_t memory_bytes) {
  return BytesOf(rounding, vectors, values) <= memory_bytes - memory_bytes / tuning::kShareOfChunks;
}

at::Tensor CodesOfBlock(Rounding rounding, const at::Tensor& rows, const RowGrid& grid, at::Tensor moments) {
  return rounding == Rounding::Gptq ? CodesByGptq(rows, grid, std::move(moments))
                                    : CodesByAdaRound(rows, grid, std::move(moments));
}

}  // namespace

std::int64_t RoundingBlock(Rounding rounding, const InputVectors& vectors, std::int64_t memory_bytes) {
  const std::int64_t length = vectors.length();
  std::int64_t fit = 0, too_much = length + 1;
  while (too_much - fit > 1) {
    const std::int64_t middle = fit + (too_much - fit) / 2;
    (Fits(rounding, vectors, middle, memory_bytes) ? fit : too_much) = middle;
  }
  if (fit < std::min(length, tuning::kLeastRoundingBlock)) return 0;
  const std::int64_t unit = fit < vectors.together() ? 1 : vectors.together();  // whole channels, where one fits
  const std::int64_t units = length / unit, blocks = (units + fit / unit - 1) / (fit / unit);
  return (units + blocks - 1) / blocks * unit;
}

std::int64_t LeastRoundingBytes(Rounding rounding, const InputVectors& vectors) {
  const std::int64_t bytes = BytesOf(rounding, vectors, std::min(vectors.length(), tuning::kLeastRoundingBlock));
  return bytes + bytes / (tuning::kShareOfChunks - 1) + 1;
}

QuantizedTensor RoundWeight(Rounding rounding, const at::Tensor& weight, const QuantizedTensor& grid,
                            const InputVectors& vectors, const at::Tensor& x, std::int64_t memory_bytes) {
  const at::NoGradGuard no_grad;
  const std::int64_t size = RoundingBlock(rounding, vectors, memory_bytes);
  const at::Tensor rows = vectors.RowsOf(weight), codes = vectors.RowsOf(grid.q).clone();
  for (std::int64_t group = 0; group < vectors.groups(); ++group)
    for (std::int64_t first = 0; first < vectors.length(); first += size) {
      const InputBlock block{group, first, std::min(size, vectors.length() - first)};
      at::Tensor moments = vectors.Moments(x, block, memory_bytes / tuning::kShareOfChunks);
      if (!moments.diagonal().isfinite().all().item<bool>())
        throw Error("rounding: what it reads is not finite on the calibration samples");
      if (!moments.diagonal().gt(0).any().item<bool>()) continue;
      const RowGrid of_block(grid, vectors.FirstRow(group), vectors.rows(), vectors.FirstColumn(group) + first);
      const at::Tensor rows_of_block = rows[group].narrow(1, first, block.count);
      codes[group]
          .narrow(1, first, block.count)
          .copy_(CodesOfBlock(rounding, rows_of_block, of_block, std::move(moments)));
    }
  QuantizedTensor result = grid;
  result.q = vectors.WeightOf(codes);
  result.value = ValueOnGrid(result.q, grid);
  return result;
}

}  // namespace bitplan::quantize
