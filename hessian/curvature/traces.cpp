#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "bitplan/curvature.h"
#include "bitplan/error.h"
#include "curvature/batch_gradient.h"
#include "curvature/random_vector.h"

namespace bitplan {

namespace {

/// Probes of vᵀHv, taken in blocks so that every batch's graph is built once a block.
class TraceSampler {
 public:
  TraceSampler(const LossFunction& loss, const Variables& variables, const TraceOptions& options)
      : loss_(loss), slots_(hessian::FindSlots(loss.network(), variables)), options_(options) {}

  /// Adds `count` probes to the samples.
  void Sample(int count);

  /// One estimate per layer from the samples so far.
  std::vector<TraceEstimate> Estimates() const;

 private:
  void SampleBatch(std::size_t batch, int first, int last);

  const LossFunction& loss_;
  const hessian::VariableSlots slots_;
  const TraceOptions& options_;
  std::optional<hessian::BatchGradient> only_batch_;  // its graph is kept when there is one batch
  std::vector<std::vector<double>> samples_;          // [probe][slot]: v_slotᵀ (H v)_slot
  std::int64_t products_ = 0;
};

void TraceSampler::Sample(int count) {
  const auto first = static_cast<int>(samples_.size());
  samples_.resize(samples_.size() + static_cast<std::size_t>(count), std::vector<double>(slots_.indices.size(), 0.0));
  for (std::size_t batch = 0; batch < loss_.batches(); ++batch) SampleBatch(batch, first, first + count);
}

void TraceSampler::SampleBatch(std::size_t batch, int first, int last) {
  if (!only_batch_) only_batch_.emplace(loss_, batch, slots_);
  const hessian::BatchGradient& gradient = *only_batch_;
  for (int probe = first; probe < last; ++probe) {
    // Weights need the same direction for all batches, inputs one of their own for each.
    auto generator =
        hessian::MakeGenerator(options_.seed, static_cast<std::uint64_t>(probe), slots_.activations ? batch + 1 : 0);
    std::vector<at::Tensor> direction;
    for (std::size_t i = 0; i < gradient.size(); ++i)
      direction.push_back(hessian::Rademacher(gradient.variable(i), generator));
    const std::vector<at::Tensor> product = gradient.Product(direction);
    for (std::size_t i = 0; i < product.size(); ++i) {
      const double form = (direction[i] * product[i]).sum(torch::kDouble).item<double>();
      samples_[static_cast<std::size_t>(probe)][gradient.slot(i)] += loss_.weight(batch) * form;
    }
    Report(options_.progress, "trace", ++products_, options_.max_probes * static_cast<std::int64_t>(loss_.batches()));
  }
  if (loss_.batches() > 1) only_batch_.reset();
}

TraceEstimate EstimateOf(const std::vector<double>& samples) {
  const auto count = static_cast<double>(samples.size());
  double sum = 0, squares = 0;
  for (const double sample : samples) sum += sample;
  const double mean = sum / count;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  TraceEstimate estimate;
  estimate.value = mean;
  estimate.standard_error = std::sqrt(squares / (count - 1) / count);
  estimate.significant = mean > 2 * estimate.standard_error;
  estimate.probes = static_cast<int>(samples.size());
  return estimate;
}

std::vector<TraceEstimate> TraceSampler::Estimates() const {
  std::vector<TraceEstimate> estimates;
  for (const std::vector<std::size_t>& slots : slots_.of_layer) {
    std::vector<double> of_layer;
    for (const std::vector<double>& sample : samples_) {
      double sum = 0;
      for (const std::size_t slot : slots) sum += sample[slot];
      of_layer.push_back(sum);
    }
    estimates.push_back(EstimateOf(of_layer));
  }
  return estimates;
}

bool PreciseEnough(const std::vector<TraceEstimate>& estimates, double tolerance) {
  return std::all_of(estimates.begin(), estimates.end(), [&](const TraceEstimate& estimate) {
    return estimate.standard_error <= tolerance * std::abs(estimate.value);
  });
}

}  // namespace

void TraceOptions::Validate() const { TraceLimits{min_probes, max_probes, tolerance}.Validate(); }

void TraceLimits::Validate() const {
  if (min_probes < 2) throw Error(fmt::format("min_probes is {}, must be at least 2", min_probes));
  if (max_probes < min_probes) {
    throw Error(fmt::format("max_probes is {}, must be at least min_probes ({})", max_probes, min_probes));
  }
  if (!(tolerance > 0)) throw Error(fmt::format("the tolerance of traces is {}, must be above 0", tolerance));
}

std::vector<TraceEstimate> Traces(const LossFunction& loss, const Variables& variables, const TraceOptions& options) {
  options.Validate();
  TraceSampler sampler(loss, variables, options);
  std::vector<TraceEstimate> estimates;
  for (int probes = 0; probes < options.max_probes;) {
    const int block = std::min(options.min_probes, options.max_probes - probes);
    sampler.Sample(block);
    probes += block;
    estimates = sampler.Estimates();
    if (PreciseEnough(estimates, options.tolerance)) break;
  }
  const std::int64_t total = options.max_probes * static_cast<std::int64_t>(loss.batches());
  Report(options.progress, "trace", total, total);
  return estimates;
}

}  // namespace bitplan
