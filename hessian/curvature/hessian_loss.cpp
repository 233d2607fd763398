#include <ATen/ATen.h>

#include <algorithm>

#include "curvature/hessian_figures.h"
#include "eigen/eigen_solvers.h"
#include "largest_weight.h"
#include "process/memory_limit.h"

namespace bitplan::hessian {

Variables HessianLoss::Reached(bool of_inputs) const {
  Variables variables{.layers = {}, .activations = of_inputs};
  for (std::size_t i = 0; i < context_.result.layers.size(); ++i)
    if (!of_inputs || context_.result.layers[i].activation.elements > 0)
      variables.layers.push_back(static_cast<int>(i));
  return variables;
}

/// What eigenpairs of the Hessians of layers' weights and, for each of `samples` of a batch, inputs hold beside these;
/// 0 where none are wanted.
std::int64_t HessianLoss::VectorBytes(std::int64_t samples) const {
  if (!options_.eigen) return 0;
  std::int64_t elements = options_.of_weights ? LargestWeight(context_.network) : 0;
  if (options_.of_inputs)
    for (const LayerSensitivity& layer : context_.result.layers)
      elements = std::max(elements, samples * layer.activation.elements);
  return EigenpairBytes(elements, options_.eigen->count);
}

LossFunction HessianLoss::On(std::int64_t first_samples, std::int64_t batch) const {
  const Dataset all = context_.data.First(options_.samples);
  const Criterion criterion = ResolveLoss(context_.network, all, options_.loss, options_.temperature);
  return {context_.network, all.First(first_samples), criterion, batch};
}

std::int64_t HessianLoss::TriedBatchSize() const {
  const std::int64_t most = std::min({options_.limits.batch_size, options_.samples, context_.data.size()});
  return process::SamplesAPass(most, options_.limits.memory_bytes, 0, [&](std::int64_t count) {
    const at::Tensor basis =
        at::empty({VectorBytes(count)}, at::kByte);  // in place of Lanczos', which is not LibTorch's
    const LossFunction few = On(count, count);
    TraceOptions least;
    least.min_probes = least.max_probes = 2;
    for (const bool of_inputs : {false, true})
      if (of_inputs ? options_.of_inputs : options_.of_weights) Traces(few, Reached(of_inputs), least);
  });
}

std::int64_t HessianLoss::BatchSize() {
  return context_.records
      .Common("samples at once for second derivatives", 1, [&] { return std::vector<std::int64_t>{TriedBatchSize()}; })
      .at(0);
}

std::int64_t HessianLoss::Batches() {
  const std::int64_t samples = std::min(options_.samples, context_.data.size()), batch = BatchSize();
  return (samples + batch - 1) / batch;
}

std::int64_t HessianLoss::Samples(std::int64_t batch) {
  const std::int64_t begin = batch * BatchSize();
  return std::min({begin + BatchSize(), options_.samples, context_.data.size()}) - begin;
}

const LossFunction& HessianLoss::Get() {
  if (!loss_) loss_ = On(options_.samples, BatchSize());
  return *loss_;
}

}  // namespace bitplan::hessian
