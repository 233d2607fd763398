#include "bitplan/gauss_newton.h"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "bitplan/error.h"
#include "gauss_newton/gauss_newton_blocks.h"
#include "gauss_newton/gauss_newton_impl.h"
#include "gauss_newton/gradient_pass.h"
#include "gauss_newton/output_curvature.h"
#include "gauss_newton/sample_sums.h"
#include "quantize/squared_norm.h"
#include "shifts/shift_figures.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

std::vector<int> ChosenLayers(const Network& network, const std::vector<int>& layers) {
  const auto count = static_cast<int>(network.layers().size());
  if (layers.empty()) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    if (all.empty()) throw Error("no layer of this network can be quantized; inspect says why");
    return all;
  }
  for (const int layer : layers) {
    if (layer < 0 || layer >= count)
      throw Error(fmt::format("there is no layer {}; the network has {} layers", layer, count));
    if (std::count(layers.begin(), layers.end(), layer) > 1)
      throw Error(fmt::format("layer {} is listed twice", layer));
  }
  return layers;
}

std::vector<ArithmeticDifference> Differences(const hessian::RowStore& store, std::size_t layers) {
  std::vector<ArithmeticDifference> differences(layers);
  const hessian::GradientPass in_float32 = store.pass().In(Arithmetic::Float32);  // the rows point to its products
  const auto rows = store.FewRows(store.pass()), exact = store.FewRows(in_float32);
  for (std::size_t i = 0; i < layers; ++i) {
    if (!rows[i] || !exact[i]) continue;
    double squares = 0, exact_squares = 0, change = 0;
    for (std::int64_t n = 0; n < exact[i]->samples(); ++n) {
      const at::Tensor a = rows[i]->Part(n, 1, 0, 1).Gradients(), b = exact[i]->Part(n, 1, 0, 1).Gradients();
      squares += quantize::SquaredNorm(a);
      exact_squares += quantize::SquaredNorm(b);
      change += quantize::SquaredNorm(a - b);
    }
    if (exact_squares > 0) differences[i] = {std::sqrt(change / exact_squares), std::abs(squares / exact_squares - 1)};
  }
  return differences;
}

constexpr text::Names<Arithmetic, 2> kArithmetics = {
    {{Arithmetic::Float32, "float32"}, {Arithmetic::BFloat16, "bfloat16"}}};

}  // namespace

BITPLAN_ENUM_NAMES(Arithmetic, kArithmetics, "arithmetic")
Arithmetic ParseArithmetic(std::string_view text) { return Parse<Arithmetic>(text); }

void GaussNewtonOptions::Validate() const {
  if (!(temperature > 0)) throw Error(fmt::format("temperature is {}, must be above 0", temperature));
  if (rows < 0) throw Error(fmt::format("rows is {}, must be 0 (all, or automatic) or more", rows));
  if (!(cut >= 0 && cut < 1)) throw Error(fmt::format("cut is {}, must be at least 0 and below 1", cut));
  if (memory_bytes <= 0) throw Error(fmt::format("memory_bytes is {}, must be above 0", memory_bytes));
}

GaussNewton GaussNewton::Blocks::Prepare(const Network& network, const Dataset& data,
                                         const GaussNewtonOptions& options) {
  options.Validate();
  const at::NoGradGuard no_gradient;
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  const std::vector<int> layers = ChosenLayers(network, options.layers);
  const std::vector<at::Tensor> two =
      data.Get(0, std::min<std::int64_t>(2, data.size()), at::Device(network.device())).inputs;
  hessian::GradientPass pass(network, layers, two, options.compute);
  const auto outputs = [&](const std::vector<at::Tensor>& inputs) { return pass.Outputs(inputs); };
  hessian::LossCurvature curvature =
      hessian::CurvatureInOutputs(outputs, at::Device(network.device()), options.memory_bytes, data, criterion,
                                  options.rows, options.cut, options.seed, options.progress);
  const auto impl = std::make_shared<Impl>(network, data, layers, std::move(curvature), std::move(pass),
                                           options.memory_bytes, options.progress);
  if (options.compute != Arithmetic::Float32) impl->differences = Differences(impl->store, layers.size());
  GaussNewton result;
  result.impl_ = impl;
  return result;
}

GaussNewton GaussNewton::Compute(const Network& network, const Dataset& data, const GaussNewtonOptions& options) {
  const at::NoGradGuard no_gradient;
  GaussNewton result = Blocks::Prepare(network, data, options);
  result.impl_->store.ForEachPart(
      {0}, [](const hessian::RowStore::Part&, const std::vector<const hessian::LayerRows*>&) {});  // keeps what fits
  return result;
}

const std::vector<int>& GaussNewton::layers() const { return impl_->layers; }
std::int64_t GaussNewton::samples() const { return impl_->samples; }
std::int64_t GaussNewton::elements(std::size_t i) const { return impl_->store.Weight(i).numel(); }
bool GaussNewton::rows_drawn() const { return impl_->store.curvature().drawn(); }
double GaussNewton::cut() const { return impl_->store.curvature().cut(); }
ArithmeticDifference GaussNewton::FromFloat32(std::size_t i) const { return impl_->differences[i]; }

std::int64_t GaussNewton::rows() const {
  const std::vector<std::int64_t>& counts = impl_->store.curvature().counts();
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

TraceEstimate GaussNewton::Trace(std::size_t i) const {
  const at::NoGradGuard no_gradient;
  std::vector<double> of_sample(static_cast<std::size_t>(samples()));
  impl_->store.ForEachGradient(i, [&](const hessian::RowStore::Part& part, const at::Tensor& gradients) {
    const at::Tensor traces = hessian::SampleTraces(gradients);
    for (std::size_t n = 0; n < part.samples.size(); ++n)
      of_sample[static_cast<std::size_t>(part.samples[n])] += traces[static_cast<std::int64_t>(n)].item<double>();
  });
  return hessian::MeanTrace(of_sample, impl_->differences[i].trace);
}

at::Tensor GaussNewton::Diagonal(std::size_t i) const {
  const at::NoGradGuard no_gradient;
  at::Tensor sum = at::zeros_like(impl_->store.Weight(i), at::kDouble);
  impl_->store.ForEachGradient(i, [&](const hessian::RowStore::Part&, const at::Tensor& gradients) {
    sum += gradients.flatten(0, 1).square().sum(0);
  });
  return sum / static_cast<double>(samples());
}

std::vector<Estimate> GaussNewton::DiagonalForms(std::size_t i, const at::Tensor& factors) const {
  const at::NoGradGuard no_gradient;
  const at::Tensor columns = hessian::FormColumns(factors, impl_->store.Weight(i));
  at::Tensor of_samples = torch::zeros({columns.size(1), samples()}, torch::kDouble);
  impl_->store.ForEachGradient(i, [&](const hessian::RowStore::Part& part, const at::Tensor& gradients) {
    of_samples.index_add_(1, torch::tensor(part.samples), hessian::SampleForms(gradients, columns));
  });
  std::vector<Estimate> forms;
  for (const at::Tensor& values : of_samples.unbind())
    forms.push_back(
        hessian::MeanOfSamples({values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()}));
  return forms;
}

double GaussNewton::FrobeniusNorm(std::size_t i) const {
  const at::NoGradGuard no_gradient;
  const auto flat = [](const at::Tensor& gradients) { return gradients.flatten(2).flatten(0, 1); };
  const hessian::RowStore& store = impl_->store;
  double squares = 0;
  if (elements(i) <= rows() && elements(i) * elements(i) * 16 <= store.work_bytes()) {
    at::Tensor sum = torch::zeros({elements(i), elements(i)}, store.Weight(i).options().dtype(at::kDouble));
    store.ForEachGradient(i, [&](const hessian::RowStore::Part&, const at::Tensor& gradients) {
      const at::Tensor a = flat(gradients);
      sum += at::mm(a.t(), a);
    });
    squares = quantize::SquaredNorm(sum);
  } else {
    std::int64_t piece = 0;
    store.ForEachGradient(i, [&](const hessian::RowStore::Part&, const at::Tensor& gradients) {
      const at::Tensor a = flat(gradients);
      std::int64_t other = 0;
      store.ForEachGradient(i, [&](const hessian::RowStore::Part&, const at::Tensor& others) {
        if (other <= piece) squares += quantize::SquaredNorm(at::mm(a, flat(others).t())) * (other == piece ? 1 : 2);
        ++other;
      });
      ++piece;
    });
  }
  return std::sqrt(squares) / static_cast<double>(samples());
}

}  // namespace bitplan
