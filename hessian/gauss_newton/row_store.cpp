#include "gauss_newton/row_store.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <malloc.h>  // of glibc: malloc_trim

#include <algorithm>
#include <numeric>
#include <utility>

#include "bitplan/error.h"
#include "process/memory_limit.h"

namespace bitplan::hessian {

namespace {

constexpr std::int64_t kMostSamples = 32;  // more samples at once fall out of the caches

/// To the system: what is freed in small pieces stays with the process otherwise, beside what is made next.
void ReturnFreedMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

RowStore::RowStore(Network network, Dataset data, std::vector<int> layers, LossCurvature curvature, GradientPass pass,
                   std::int64_t memory_bytes, ProgressCallback progress)
    : network_(std::move(network)),
      data_(std::move(data)),
      layers_(std::move(layers)),
      curvature_(std::move(curvature)),
      pass_(std::move(pass)),
      progress_(std::move(progress)) {
  FormParts(memory_bytes);
}

void RowStore::FormParts(std::int64_t memory_bytes) {
  const auto rows_of = [&](std::int64_t sample) { return curvature_.counts()[static_cast<std::size_t>(sample)]; };
  const std::vector<std::int64_t> order = curvature_.MostRowsFirst();  // so that few backward passes are spent on zeros
  if (order.empty()) return;

  // What one sample takes with one row, and what each further row adds.
  Rows of_one;
  const std::int64_t held = curvature_.bytes();
  const std::int64_t with_one = process::BytesOfOneSample(
      memory_bytes, held, [&] { of_one = Make(pass_, {{order.front()}, 0, 1}, AllLayers()); });
  const std::int64_t with_two = rows_of(order.front()) == 1
                                    ? with_one
                                    : process::PeakBytes([&] { Make(pass_, {{order.front()}, 0, 2}, AllLayers()); });
  const std::int64_t of_row = std::max<std::int64_t>(1, with_two - with_one);
  const std::int64_t budget = process::PlannedBytes(memory_bytes) - held;

  // Half of it for the passes, unless one row of one sample needs more.
  const std::int64_t most = rows_of(order.front());
  const std::int64_t for_passes = std::max(budget / 2, with_one);
  const std::int64_t rows = std::clamp<std::int64_t>(1 + (for_passes - with_one) / of_row, 1, most);
  const std::int64_t of_sample = with_one + (rows - 1) * of_row;
  const std::int64_t samples =
      std::clamp<std::int64_t>(for_passes / of_sample, 1, pass_.OneSampleOnly() ? 1 : kMostSamples);
  work_bytes_ = std::max(budget / 4, samples * of_sample);
  room_for_kept_ = budget - work_bytes_;

  for (const std::vector<std::int64_t>& chunk : curvature_.Chunks(samples))
    for (std::int64_t row = 0; row < rows_of(chunk.front()); row += rows)
      parts_.push_back({chunk, row, std::min(rows, rows_of(chunk.front()) - row)});
  std::int64_t inputs = 0, outputs = 0;  // how often those of one sample and row are kept
  for (const Part& part : parts_) {
    inputs += static_cast<std::int64_t>(part.samples.size());
    outputs += static_cast<std::int64_t>(part.samples.size()) * part.rows;
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::int64_t gradients = outputs * Weight(i).numel() * 4;
    const std::int64_t factors = of_one[i] && of_one[i]->factored()
                                     ? inputs * of_one[i]->bytes_of_inputs() + outputs * of_one[i]->bytes_of_gradients()
                                     : gradients;
    as_gradients_.push_back(gradients <= factors);
    kept_bytes_.push_back(std::min(gradients, factors));
    const double of_product = of_one[i] && gradients > factors ? of_one[i]->multiplications() : 0;
    costs_.push_back({kept_bytes_.back() <= room_for_kept_, static_cast<double>(inputs) * of_product,
                      static_cast<double>(outputs) * of_product});
  }
}

std::vector<std::optional<LayerRows>> RowStore::FewRows(const GradientPass& pass) const {
  if (parts_.empty()) return std::vector<std::optional<LayerRows>>(layers_.size());
  const std::vector<std::int64_t>& samples = parts_.front().samples;
  const auto half =
      static_cast<std::ptrdiff_t>(samples.size() + 1) / 2;  // leaves room for as many of another arithmetic
  return Make(pass, {{samples.begin(), samples.begin() + half}, 0, 1}, AllLayers());
}

std::vector<std::size_t> RowStore::AllLayers() const {
  std::vector<std::size_t> all(layers_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

RowStore::Cost RowStore::CostOf(std::size_t layer) const { return costs_.empty() ? Cost{} : costs_[layer]; }

/// In the order of `wanted`.
RowStore::Rows RowStore::Make(const GradientPass& pass, const Part& part,
                              const std::vector<std::size_t>& wanted) const {
  const at::Device device(network_.device());
  const at::Tensor all_rows = curvature_.Rows(part.samples).rows;
  const at::Tensor rows = all_rows.narrow(0, part.first_row, part.rows).to(device);
  Rows result(wanted.size());
  std::vector<std::vector<UseRun>> runs = pass.Run(data_.Get(part.samples, device).inputs, rows, wanted);
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    if (runs[k].empty()) continue;
    result[k] = LayerRows::FromRuns(std::move(runs[k]), Weight(wanted[k]));
    if (!as_gradients_.empty() && as_gradients_[wanted[k]] != 0)
      result[k] = LayerRows::FromGradients(result[k]->Gradients());
  }
  AddGradientsOfOne(pass, part, rows, wanted, result);
  return result;
}

/// For the layers whose uses are not all products: sample by sample.
void RowStore::AddGradientsOfOne(const GradientPass& pass, const Part& part, const at::Tensor& rows,
                                 const std::vector<std::size_t>& wanted, Rows& result) const {
  const std::vector<std::size_t>& others = pass.without_products();
  const auto position = [&](std::size_t layer) {
    return std::find(wanted.begin(), wanted.end(), layer) - wanted.begin();
  };
  const auto end = static_cast<std::ptrdiff_t>(wanted.size());
  if (std::all_of(others.begin(), others.end(), [&](std::size_t layer) { return position(layer) == end; })) return;
  std::vector<std::vector<at::Tensor>> gradients(others.size());
  for (std::size_t n = 0; n < part.samples.size(); ++n) {
    const std::vector<at::Tensor> inputs = data_.Get({part.samples[n]}, at::Device(network_.device())).inputs;
    const std::vector<at::Tensor> of_one = pass.GradientsOfOne(inputs, rows.narrow(1, static_cast<std::int64_t>(n), 1));
    for (std::size_t j = 0; j < others.size(); ++j) gradients[j].push_back(of_one[j]);
  }
  for (std::size_t j = 0; j < others.size(); ++j)
    if (position(others[j]) < end)
      result[static_cast<std::size_t>(position(others[j]))] = LayerRows::FromGradients(at::cat(gradients[j]));
}

/// `wanted` and the layers that follow, as long as all of them fit; none where `wanted` does not.
std::vector<std::size_t> RowStore::LayersThatFit(const std::vector<std::size_t>& wanted) const {
  std::vector<std::size_t> layers = wanted;
  std::sort(layers.begin(), layers.end());
  std::int64_t bytes = 0;
  for (const std::size_t layer : layers) bytes += kept_bytes_[layer];
  if (bytes > room_for_kept_) return {};
  for (std::size_t next = layers.back() + 1; next < layers_.size() && bytes + kept_bytes_[next] <= room_for_kept_;
       ++next) {
    bytes += kept_bytes_[next];
    layers.push_back(next);
  }
  return layers;
}

/// Null where they do not fit.
std::shared_ptr<const RowStore::Kept> RowStore::Keep(const std::vector<std::size_t>& wanted) const {
  const std::lock_guard lock(mutex_);
  const auto is_kept = [&](std::size_t layer) {
    return std::binary_search(kept_->layers.begin(), kept_->layers.end(), layer);
  };
  if (kept_ && std::all_of(wanted.begin(), wanted.end(), is_kept)) return kept_;
  Kept kept{LayersThatFit(wanted), {}};
  if (kept.layers.empty()) return nullptr;
  kept_ = nullptr;  // its memory is needed
  ReturnFreedMemory();
  for (const Part& part : parts_) {
    kept.parts.push_back(Make(pass_, part, kept.layers));
    Report(progress_, "backward passes", static_cast<std::int64_t>(kept.parts.size()),
           static_cast<std::int64_t>(parts_.size()));
  }
  return kept_ = std::make_shared<const Kept>(std::move(kept));
}

void RowStore::ForEachPart(const std::vector<std::size_t>& wanted, const Use& use) const {
  if (parts_.empty()) return;
  const std::shared_ptr<const Kept> kept = Keep(wanted);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Rows made = kept ? Rows() : Make(pass_, parts_[p], wanted);
    std::vector<const LayerRows*> rows;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const auto at = kept
                          ? std::lower_bound(kept->layers.begin(), kept->layers.end(), wanted[k]) - kept->layers.begin()
                          : static_cast<std::ptrdiff_t>(k);
      const std::optional<LayerRows>& found = (kept ? kept->parts[p] : made)[static_cast<std::size_t>(at)];
      rows.push_back(found ? &*found : nullptr);
    }
    use(parts_[p], rows);
  }
}

void RowStore::ForPart(std::size_t part, const Use& use) const {
  std::shared_ptr<const Kept> kept;
  {
    const std::lock_guard lock(mutex_);
    if (kept_ && kept_->layers.size() == layers_.size()) kept = kept_;
  }
  const Rows made = kept ? Rows() : Make(pass_, parts_[part], AllLayers());
  std::vector<const LayerRows*> rows;
  for (const std::optional<LayerRows>& found : kept ? kept->parts[part] : made)
    rows.push_back(found ? &*found : nullptr);
  use(parts_[part], rows);
}

/// Of each float32 gradient there are up to seven more beside it: LibTorch's own in other layouts, and its user's.
std::int64_t RowStore::RowsAtOnce(std::size_t layer) const {
  return std::max<std::int64_t>(1, work_bytes_ / (32 * Weight(layer).numel()));
}

std::int64_t RowStore::PiecesOfRows(std::size_t layer, const Part& part) const {
  const std::int64_t step = std::min(part.rows, RowsAtOnce(layer));
  return (part.rows + step - 1) / step;
}

void RowStore::ForEachPiece(std::size_t layer, const Part& part, const LayerRows& rows, const UsePiece& use) const {
  const auto samples = static_cast<std::int64_t>(part.samples.size());
  const std::int64_t at_once = RowsAtOnce(layer), row_step = std::min(part.rows, at_once),
                     sample_step = std::clamp<std::int64_t>(at_once / row_step, 1, samples);
  for (std::int64_t n = 0; n < samples; n += sample_step)
    for (std::int64_t row = 0; row < part.rows; row += row_step) {
      const std::int64_t take = std::min(sample_step, samples - n), take_rows = std::min(row_step, part.rows - row);
      use(n, row / row_step, rows.Part(n, take, row, take_rows).Gradients());
    }
}

void RowStore::ForEachGradient(std::size_t layer,
                               const std::function<void(const Part& part, const at::Tensor& gradients)>& use) const {
  ForEachPart({layer}, [&](const Part& part, const std::vector<const LayerRows*>& rows) {
    if (!rows[0]) return;
    const std::int64_t row_step = std::min(part.rows, RowsAtOnce(layer));
    ForEachPiece(layer, part, *rows[0], [&](std::int64_t n, std::int64_t piece, const at::Tensor& gradients) {
      const auto begin = part.samples.begin() + n;
      use({{begin, begin + gradients.size(0)}, part.first_row + piece * row_step, gradients.size(1)}, gradients);
    });
  });
}

}  // namespace bitplan::hessian
