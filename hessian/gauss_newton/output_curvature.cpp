#include "gauss_newton/output_curvature.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bitplan/error.h"
#include "process/memory_limit.h"
#include "tuning.h"

namespace bitplan::hessian {

namespace {

at::Tensor AllOutputs(const OutputsOf& outputs_of, at::Device device, std::int64_t memory_bytes, const Dataset& data,
                      const ProgressCallback& progress) {
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    return outputs_of(data.Get(begin, end, device).inputs);
  };
  const std::int64_t batch = process::SamplesAPass(std::min(tuning::kLargestOutputBatch, data.size()), memory_bytes, 0,
                                                   [&](std::int64_t samples) { run(0, samples); });
  std::vector<at::Tensor> outputs;
  for (std::int64_t begin = 0; begin < data.size(); begin += batch) {
    const std::int64_t end = std::min(begin + batch, data.size());
    outputs.push_back(run(begin, end));
    if (!outputs.back().isfinite().all().item<bool>())
      throw Error(fmt::format("the network's output is not finite for samples {} … {}", begin, end - 1));
    Report(progress, "outputs", end, data.size());
  }
  return at::cat(outputs);
}

}  // namespace

LossCurvature CurvatureInOutputs(const OutputsOf& outputs_of, at::Device device, std::int64_t memory_bytes,
                                 const Dataset& data, const Criterion& criterion, int rows, double cut,
                                 std::uint64_t seed, const ProgressCallback& progress) {
  const at::NoGradGuard no_gradient;
  const at::Tensor logits = AllOutputs(outputs_of, device, memory_bytes, data, progress);
  const at::Tensor labels = criterion.ReadsLabels() ? data.labels() : at::Tensor();
  const at::Tensor losses = SampleLosses(criterion, logits, logits, labels);
  if (!losses.isfinite().all().item<bool>()) throw Error("the loss is not finite");
  return {criterion, logits, labels, rows, cut, seed};
}

}  // namespace bitplan::hessian
