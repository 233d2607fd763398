#include "bitplan/gauss_newton.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "bitplan/error.h"
#include "hessian/eigen_solvers.h"
#include "hessian/gradient_pass.h"
#include "hessian/layer_rows.h"
#include "hessian/output_curvature.h"
#include "hessian/resolve_loss.h"
#include "hessian/shift_figures.h"

namespace bitplan {

namespace {

constexpr std::int64_t kLargestChunk = 128;

std::string Mebibytes(std::int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

std::vector<int> ChosenLayers(const Network& network, const std::vector<int>& layers) {
  const auto count = static_cast<int>(network.layers().size());
  if (layers.empty()) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    if (all.empty()) throw Error("no layer of this network can be quantized; inspect says why");
    return all;
  }
  for (const int layer : layers) {
    if (layer < 0 || layer >= count) throw Error(fmt::format("there is no layer {}; the network has {} layers", layer, count));
    if (std::count(layers.begin(), layers.end(), layer) > 1) throw Error(fmt::format("layer {} is listed twice", layer));
  }
  return layers;
}

}  // namespace

void GaussNewtonOptions::Validate() const {
  if (!(temperature > 0)) throw Error(fmt::format("temperature is {}, must be above 0", temperature));
  if (rows < 0) throw Error(fmt::format("rows is {}, must be 0 (all, or automatic) or more", rows));
  if (!(cut >= 0 && cut < 1)) throw Error(fmt::format("cut is {}, must be at least 0 and below 1", cut));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

struct GaussNewton::Impl {
  Network network;
  Dataset data;
  GaussNewtonOptions options;
  std::vector<int> layers;
  LossCurvature curvature;
  GradientPass pass;
  std::vector<std::vector<std::int64_t>> chunks;        // samples of each; those without rows are in none
  std::vector<std::vector<std::optional<LayerRows>>> kept;  // of each chunk and layer; empty where they are made again for each use

  /// Rows of some layers (positions in `layers`) for one chunk; nothing where no gradient reaches a layer.
  std::vector<std::optional<LayerRows>> Make(std::size_t chunk, const std::vector<std::size_t>& wanted) const;

  /// Calls `use` with the rows of some layers for every chunk.
  void ForEachChunk(const std::vector<std::size_t>& wanted,
                    const std::function<void(std::size_t chunk, const std::vector<const LayerRows*>& rows)>& use) const;

  /// All rows of some layers, [rows, elements] float32.
  at::Tensor Matrix(const std::vector<std::size_t>& wanted) const;

  at::Tensor Weight(std::size_t i) const { return network.Weight(network.layers()[static_cast<std::size_t>(layers[i])]); }
  void FormChunks();
};

/// Samples with as many rows each, so that no backward pass is spent on zeros.
void GaussNewton::Impl::FormChunks() {
  const std::vector<std::int64_t> order = curvature.MostRowsFirst();
  if (order.empty()) return;
  const auto rows_of = [&](std::int64_t sample) { return curvature.counts()[static_cast<std::size_t>(sample)]; };

  // What one sample takes, measured on the one with the most rows: its activations (about three times, in the graph), its rows
  // while they are collected, and the gradients in the largest weight.
  const at::Device device(network.device());
  const LossRows one_row = curvature.Rows({order.front()});
  std::int64_t activations = 0, outputs = 0, kept_bytes = 0, largest = 0;
  const auto runs = pass.Run(data.Get({order.front()}, device).inputs, one_row.rows.narrow(0, 0, 1).to(device));
  const std::int64_t most = rows_of(order.front());
  const std::int64_t all_rows = std::accumulate(order.begin(), order.end(), std::int64_t{0}, [&](std::int64_t sum, std::int64_t i) { return sum + rows_of(i); });
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::int64_t x = 0, y = 0;
    for (const UseRun& run : runs[i]) {
      x += static_cast<std::int64_t>(run.x.nbytes());
      y += static_cast<std::int64_t>(run.gradients.nbytes());
    }
    const std::int64_t weight = Weight(i).numel() * 4;
    activations += x + y;
    outputs += y;
    largest = std::max(largest, weight);
    const auto samples = static_cast<std::int64_t>(order.size());
    kept_bytes += runs[i].empty() ? all_rows * weight : std::min(all_rows * weight, samples * x + all_rows * y);
  }
  const std::int64_t of_sample = 3 * activations + 2 * most * outputs + most * largest;
  if (of_sample > options.memory_bytes)
    throw Error(fmt::format("the memory limit is {}, and one sample takes {}", Mebibytes(options.memory_bytes), Mebibytes(of_sample)));
  const bool keep = kept_bytes <= options.memory_bytes / 2;
  const std::int64_t room = keep ? options.memory_bytes - kept_bytes : options.memory_bytes;
  const std::int64_t most_samples = pass.OneSampleOnly() ? 1 : kLargestChunk;
  const std::int64_t chunk_size = std::clamp<std::int64_t>(room / of_sample, 1, most_samples);
  chunks = curvature.Chunks(chunk_size);
  if (!keep) return;
  std::vector<std::size_t> all(layers.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    kept.push_back(Make(chunk, all));
    Report(options.progress, "backward passes", static_cast<std::int64_t>(chunk + 1), static_cast<std::int64_t>(chunks.size()));
  }
}

std::vector<std::optional<LayerRows>> GaussNewton::Impl::Make(std::size_t chunk, const std::vector<std::size_t>& wanted) const {
  const std::vector<std::int64_t>& samples = chunks[chunk];
  const at::Device device(network.device());
  const at::Tensor rows = curvature.Rows(samples).rows.to(device);
  std::vector<std::optional<LayerRows>> result(wanted.size());
  std::vector<std::vector<UseRun>> runs = pass.Run(data.Get(samples, device).inputs, rows);
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const std::size_t i = wanted[k];
    if (runs[i].empty()) continue;
    LayerRows factored = LayerRows::FromRuns(std::move(runs[i]), Weight(i));
    const std::int64_t as_gradients = rows.size(0) * rows.size(1) * Weight(i).numel() * 4;
    result[k] = as_gradients <= factored.bytes() ? LayerRows::FromGradients(factored.Gradients()) : std::move(factored);
  }
  const std::vector<std::size_t>& others = pass.without_products();
  const bool any = std::any_of(others.begin(), others.end(),
                               [&](std::size_t i) { return std::find(wanted.begin(), wanted.end(), i) != wanted.end(); });
  if (!any) return result;
  std::vector<std::vector<at::Tensor>> gradients(others.size());
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const auto at = static_cast<std::int64_t>(n);
    const std::vector<at::Tensor> of_one = pass.GradientsOfOne(data.Get({samples[n]}, device).inputs, rows.narrow(1, at, 1));
    for (std::size_t j = 0; j < others.size(); ++j) gradients[j].push_back(of_one[j]);
  }
  for (std::size_t j = 0; j < others.size(); ++j) {
    const auto found = std::find(wanted.begin(), wanted.end(), others[j]);
    if (found != wanted.end())
      result[static_cast<std::size_t>(found - wanted.begin())] = LayerRows::FromGradients(at::cat(gradients[j]));
  }
  return result;
}

void GaussNewton::Impl::ForEachChunk(
    const std::vector<std::size_t>& wanted,
    const std::function<void(std::size_t chunk, const std::vector<const LayerRows*>& rows)>& use) const {
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk) {
    const std::vector<std::optional<LayerRows>> made = kept.empty() ? Make(chunk, wanted) : std::vector<std::optional<LayerRows>>();
    std::vector<const LayerRows*> rows;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const std::optional<LayerRows>& found = kept.empty() ? made[k] : kept[chunk][wanted[k]];
      rows.push_back(found ? &*found : nullptr);
    }
    use(chunk, rows);
  }
}

at::Tensor GaussNewton::Impl::Matrix(const std::vector<std::size_t>& wanted) const {
  std::vector<at::Tensor> parts;
  ForEachChunk(wanted, [&](std::size_t chunk, const std::vector<const LayerRows*>& rows) {
    const std::vector<std::int64_t>& samples = chunks[chunk];
    const auto count = static_cast<std::int64_t>(samples.size()) * curvature.counts()[static_cast<std::size_t>(samples.front())];
    std::vector<at::Tensor> columns;
    for (std::size_t k = 0; k < wanted.size(); ++k)
      columns.push_back(rows[k] ? rows[k]->Gradients().flatten(2).flatten(0, 1) : at::zeros({count, Weight(wanted[k]).numel()}, Weight(wanted[k]).options()));
    parts.push_back(columns.size() == 1 ? columns.front() : at::cat(columns, 1));
  });
  return at::cat(parts);
}

GaussNewton GaussNewton::Compute(const Network& network, const Dataset& data, const GaussNewtonOptions& given) {
  given.Validate();
  GaussNewtonOptions options = given;
  options.loss = ResolveLoss(options.loss, data);
  const std::vector<int> layers = ChosenLayers(network, options.layers);
  LossCurvature curvature = CurvatureInOutputs(network, data, options.loss, options.temperature, options.rows, options.cut, options.seed,
                                               options.progress);
  GradientPass pass(network, layers, data.Get(0, std::min<std::int64_t>(2, data.size()), at::Device(network.device())).inputs);
  auto impl = std::make_shared<Impl>(Impl{network, data, options, layers, std::move(curvature), std::move(pass), {}, {}});
  impl->FormChunks();
  GaussNewton result;
  result.impl_ = std::move(impl);
  return result;
}

const std::vector<int>& GaussNewton::layers() const { return impl_->layers; }
std::int64_t GaussNewton::samples() const { return impl_->data.size(); }
std::int64_t GaussNewton::elements(std::size_t i) const { return impl_->Weight(i).numel(); }
bool GaussNewton::rows_drawn() const { return impl_->curvature.drawn(); }
double GaussNewton::cut() const { return impl_->curvature.cut(); }

std::int64_t GaussNewton::rows() const {
  const std::vector<std::int64_t>& counts = impl_->curvature.counts();
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

TraceEstimate GaussNewton::Trace(std::size_t i) const {
  const torch::NoGradGuard no_gradient;
  const auto samples = static_cast<double>(this->samples());
  double sum = 0, squares = 0;  // of the samples' own traces
  impl_->ForEachChunk({i}, [&](std::size_t, const std::vector<const LayerRows*>& rows) {
    if (!rows[0]) return;
    const at::Tensor of_sample = rows[0]->Gradients().flatten(1).square().sum(1, false, torch::kDouble);
    sum += of_sample.sum().item<double>();
    squares += of_sample.square().sum().item<double>();
  });
  TraceEstimate trace;
  trace.value = sum / samples;
  const double variance = std::max(0.0, squares / samples - trace.value * trace.value);
  trace.standard_error = samples > 1 ? std::sqrt(variance / (samples - 1)) : 0;
  trace.significant = trace.value > 2 * trace.standard_error;
  return trace;
}

at::Tensor GaussNewton::Diagonal(std::size_t i) const {
  const torch::NoGradGuard no_gradient;
  at::Tensor sum = at::zeros_like(impl_->Weight(i), at::kDouble);
  impl_->ForEachChunk({i}, [&](std::size_t, const std::vector<const LayerRows*>& rows) {
    if (rows[0]) sum += rows[0]->Gradients().flatten(0, 1).square().sum({0}, false, torch::kDouble);
  });
  return sum / static_cast<double>(samples());
}

std::vector<Estimate> GaussNewton::DiagonalForms(std::size_t i, const at::Tensor& factors) const {
  const torch::NoGradGuard no_gradient;
  const at::Tensor columns = factors.flatten(1).t().to(impl_->Weight(i).options());
  at::Tensor of_samples = torch::zeros({columns.size(1), samples()}, torch::kDouble);
  impl_->ForEachChunk({i}, [&](std::size_t chunk, const std::vector<const LayerRows*>& rows) {
    if (!rows[0]) return;
    const at::Tensor diagonals = rows[0]->Gradients().flatten(2).square().sum(1);  // of each sample
    of_samples.index_copy_(1, torch::tensor(impl_->chunks[chunk]), at::mm(diagonals, columns).t().to(at::kCPU, at::kDouble));
  });
  std::vector<Estimate> forms;
  for (const at::Tensor& values : of_samples.unbind())
    forms.push_back(MeanOfSamples({values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()}));
  return forms;
}

double GaussNewton::FrobeniusNorm(std::size_t i) const {
  const torch::NoGradGuard no_gradient;
  const auto matrix_of = [](const LayerRows& rows) { return rows.Gradients().flatten(2).flatten(0, 1).to(at::kDouble); };
  double squares = 0;
  if (elements(i) <= rows()) {
    at::Tensor sum = torch::zeros({elements(i), elements(i)}, impl_->Weight(i).options().dtype(at::kDouble));
    impl_->ForEachChunk({i}, [&](std::size_t, const std::vector<const LayerRows*>& rows) {
      if (!rows[0]) return;
      const at::Tensor a = matrix_of(*rows[0]);
      sum += at::mm(a.t(), a);
    });
    squares = sum.square().sum().item<double>();
  } else {
    impl_->ForEachChunk({i}, [&](std::size_t chunk, const std::vector<const LayerRows*>& rows) {
      if (!rows[0]) return;
      const at::Tensor a = matrix_of(*rows[0]);
      impl_->ForEachChunk({i}, [&](std::size_t other, const std::vector<const LayerRows*>& others) {
        if (others[0] && other <= chunk)
          squares += at::mm(a, matrix_of(*others[0]).t()).square().sum().item<double>() * (other == chunk ? 1 : 2);
      });
    });
  }
  return std::sqrt(squares) / static_cast<double>(samples());
}

GaussNewtonOperator::GaussNewtonOperator(GaussNewton matrix, std::vector<std::size_t> layers)
    : matrix_(std::move(matrix)), layers_(std::move(layers)) {
  for (const std::size_t layer : layers_)
    if (layer >= matrix_.layers().size() || std::count(layers_.begin(), layers_.end(), layer) > 1)
      throw Error(fmt::format("position {} is given twice or is not one of the matrix's {} layers", layer, matrix_.layers().size()));
}

std::ptrdiff_t GaussNewtonOperator::rows() const {
  std::ptrdiff_t rows = 0;
  for (const std::size_t layer : layers_) rows += matrix_.elements(layer);
  return rows;
}

void GaussNewtonOperator::perform_op(const double* x, double* y) const {
  const torch::NoGradGuard no_gradient;
  std::vector<at::Tensor> directions, sums;
  for (const std::size_t layer : layers_) {
    const at::Tensor weight = matrix_.impl_->Weight(layer);
    const at::Tensor given = torch::from_blob(const_cast<double*>(x), {weight.numel()}, torch::kDouble);
    directions.push_back(given.to(weight.options()).view(weight.sizes()));
    sums.push_back(at::zeros_like(weight));
    x += weight.numel();
  }
  matrix_.impl_->ForEachChunk(layers_, [&](std::size_t, const std::vector<const LayerRows*>& rows) {
    if (rows.size() == 1) {
      if (rows[0]) sums[0] += rows[0]->Squared(directions[0]);
      return;
    }
    at::Tensor u;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i]) continue;
      const at::Tensor term = rows[i]->Times(directions[i]);
      u = u.defined() ? u + term : term;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i]) sums[i] += rows[i]->TransposedTimes(u);
  });
  for (const at::Tensor& sum : sums) {
    const at::Tensor mean = sum.flatten().to(at::kCPU, at::kDouble) / static_cast<double>(matrix_.samples());
    std::copy_n(mean.const_data_ptr<double>(), mean.numel(), y);
    y += mean.numel();
  }
}

Eigenpairs TopEigenpairs(const GaussNewtonOperator& matrix, const EigenOptions& options) {
  options.Validate();
  const SymmetricOperator symmetric(
      matrix.rows(), [&](const double* x, double* y) { matrix.perform_op(x, y); }, options.max_products, options.progress);
  const GaussNewton::Impl& impl = *matrix.matrix_.impl_;
  constexpr std::int64_t kFewRows = 512;  // where a dense eigenvalue problem is less work than the products of Lanczos
  const std::int64_t rows = matrix.matrix_.rows();
  const bool few = rows > 0 && rows <= kFewRows && rows < matrix.rows() && options.count <= rows &&
                   rows * matrix.rows() * 4 <= impl.options.memory_bytes / 4;
  if (!few) return SolveTopEigenpairs(symmetric, options);
  const torch::NoGradGuard no_gradient;
  const at::Tensor a = impl.Matrix(matrix.layers_);
  const auto [values, vectors] = at::linalg_eigh(at::mm(a, a.t()).to(at::kCPU, at::kDouble));  // ascending
  const at::Tensor top = vectors.narrow(1, rows - options.count, options.count).flip(1).to(a.options());
  const at::Tensor directions = at::mm(top.t(), a).to(at::kCPU, at::kDouble).contiguous();  // [count, elements]
  return JudgeEigenvectors(symmetric,
                           Eigen::Map<const Eigen::MatrixXd>(directions.const_data_ptr<double>(), matrix.rows(), options.count), options);
}

}  // namespace bitplan
