#include "curvature/trace_probes.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "curvature/random_vector.h"

namespace bitplan::hessian {

namespace {

TraceEstimate MeanOfProbes(const std::vector<double>& forms) {
  const auto count = static_cast<double>(forms.size());
  double sum = 0, squares = 0;
  for (const double form : forms) sum += form;
  const double mean = sum / count;
  for (const double form : forms) squares += (form - mean) * (form - mean);
  TraceEstimate estimate;
  estimate.value = mean;
  estimate.standard_error = std::sqrt(squares / (count - 1) / count);
  estimate.significant = mean > 2 * estimate.standard_error;
  estimate.probes = static_cast<int>(forms.size());
  return estimate;
}

}  // namespace

TraceProbes::TraceProbes(const LossFunction& loss, const Variables& variables, const TraceOptions& options)
    : loss_(loss), slots_(FindSlots(loss.network(), variables)), options_(options) {}

std::vector<double> TraceProbes::Take(int first, int last) {
  std::vector<std::vector<double>> forms(static_cast<std::size_t>(last - first),
                                         std::vector<double>(slots_.indices.size(), 0.0));  // [probe][slot]
  for (std::size_t batch = 0; batch < loss_.batches(); ++batch) AddBatch(batch, first, last, forms);
  std::vector<double> of_layers;
  for (const std::vector<double>& of_slot : forms)
    for (const std::vector<std::size_t>& slots : slots_.of_layer) {
      double sum = 0;
      for (const std::size_t slot : slots) sum += of_slot[slot];
      of_layers.push_back(sum);
    }
  return of_layers;
}

void TraceProbes::AddBatch(std::size_t batch, int first, int last, std::vector<std::vector<double>>& forms) {
  if (!only_batch_) only_batch_.emplace(loss_, batch, slots_);
  const BatchGradient& gradient = *only_batch_;
  const auto batches = static_cast<std::int64_t>(loss_.batches()), done = static_cast<std::int64_t>(batch);
  for (int probe = first; probe < last; ++probe) {
    // Weights need the same direction for all batches, inputs one of their own for each.
    auto generator =
        MakeGenerator(options_.seed, static_cast<std::uint64_t>(probe), slots_.activations ? batch + 1 : 0);
    std::vector<at::Tensor> direction;
    for (std::size_t i = 0; i < gradient.size(); ++i) direction.push_back(Rademacher(gradient.variable(i), generator));
    const std::vector<at::Tensor> product = gradient.Product(direction);
    for (std::size_t i = 0; i < product.size(); ++i) {
      const double form = (direction[i] * product[i]).sum(torch::kDouble).item<double>();
      forms[static_cast<std::size_t>(probe - first)][gradient.slot(i)] += loss_.weight(batch) * form;
    }
    Report(options_.progress, "trace", first * batches + done * (last - first) + probe - first + 1,
           options_.max_probes * batches);
  }
  if (batches > 1) only_batch_.reset();
}

std::vector<TraceEstimate> TracesOfProbes(const std::vector<double>& forms, std::size_t layers) {
  std::vector<TraceEstimate> estimates;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    std::vector<double> of_layer;
    for (std::size_t at = layer; at < forms.size(); at += layers) of_layer.push_back(forms[at]);
    estimates.push_back(MeanOfProbes(of_layer));
  }
  return estimates;
}

bool PreciseEnough(const std::vector<TraceEstimate>& estimates, double tolerance) {
  return std::all_of(estimates.begin(), estimates.end(), [&](const TraceEstimate& estimate) {
    return estimate.standard_error <= tolerance * std::abs(estimate.value);
  });
}

}  // namespace bitplan::hessian
