#include "hessian/output_curvature.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "bitplan/error.h"

namespace bitplan {

namespace {

/// Output of the float network for all samples, in batches that fit the memory limit only roughly: no gradients, little
/// is kept.
at::Tensor FloatOutputs(const Network& network, const Dataset& data, const ProgressCallback& progress) {
  const torch::NoGradGuard no_gradient;
  constexpr std::int64_t kBatch = 64;
  std::vector<at::Tensor> outputs;
  for (std::int64_t begin = 0; begin < data.size(); begin += kBatch) {
    const std::int64_t end = std::min(begin + kBatch, data.size());
    outputs.push_back(network.Forward(data.Get(begin, end, at::Device(network.device())).inputs));
    if (!outputs.back().isfinite().all().item<bool>())
      throw Error(fmt::format("the network's output is not finite for samples {} … {}", begin, end - 1));
    Report(progress, "outputs", end, data.size());
  }
  return at::cat(outputs);
}

}  // namespace

LossCurvature CurvatureInOutputs(const Network& network, const Dataset& data, Loss loss, double temperature, int rows,
                                 double cut, std::uint64_t seed, const ProgressCallback& progress) {
  const at::Tensor logits = FloatOutputs(network, data, progress);
  const at::Tensor labels = UsesLabels(loss, data.has_labels()) ? data.labels() : at::Tensor();
  const at::Tensor losses = SampleLosses(loss, logits, labels.defined() ? labels : logits, temperature);
  if (!losses.isfinite().all().item<bool>()) throw Error("the loss is not finite");
  return {loss, temperature, logits, labels, rows, cut, seed};
}

}  // namespace bitplan
