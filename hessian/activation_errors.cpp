#include "activation_errors.h"

#include <torch/types.h>

#include <algorithm>
#include <optional>

#include "bitplan/quantize.h"
#include "curvature/variable_slots.h"
#include "fisher/visited_tensors.h"
#include "process/memory_limit.h"
#include "quantize/squared_norm.h"

namespace bitplan::hessian {

namespace {

/// Sums over samples at every layer input.
class InputErrorProbe : public Probe {
 public:
  InputErrorProbe(const Network& network, const std::vector<int>& bits, const Format& format,
                  std::optional<ActivationStatistics> statistics)
      : sites_(network.sites()), sums_(sites_.size()), statistics_(std::move(statistics)) {
    for (const int width : bits) formats_.push_back(format.WithBits(width));
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const auto index = static_cast<std::size_t>(site);
    if (sites_[index].kind == Site::Kind::LayerInput && value.is_floating_point() && !visited_.Find(value)) {
      visited_.Add(value);
      Add(site, value);
    }
    return value;
  }

  void StartBatch() { visited_ = {}; }
  const InputError& Sum(int site) const { return sums_[static_cast<std::size_t>(site)]; }

 private:
  void Add(int site, const at::Tensor& value) {
    InputError& sum = sums_[static_cast<std::size_t>(site)];
    sum.elements += value.numel();
    sum.squared_norm += quantize::SquaredNorm(value);
    sum.squared_errors.resize(formats_.size());
    for (std::size_t i = 0; i < formats_.size(); ++i) {
      const Format& format = formats_[i];
      if (format.bits == 32) continue;
      const ActivationRange range = format.HasScale() ? statistics_->Range(site, format) : ActivationRange{};
      sum.squared_errors[i] += quantize::SquaredNorm(FakeQuantize(value, format, range) - value);
    }
  }

  const std::vector<Site>& sites_;
  std::vector<InputError> sums_;  // of each site
  std::vector<Format> formats_;
  std::optional<ActivationStatistics> statistics_;
  VisitedTensors visited_;
};

InputError MeanOverSamples(const Layer& layer, const InputErrorProbe& probe, std::int64_t samples, std::size_t widths) {
  InputError mean;
  mean.squared_errors.resize(widths);
  const auto count = static_cast<double>(samples);
  for (const int site : InputSites(layer)) {
    const InputError& sum = probe.Sum(site);
    mean.elements += sum.elements / samples;
    mean.squared_norm += sum.squared_norm / count;
    for (std::size_t i = 0; i < sum.squared_errors.size(); ++i) mean.squared_errors[i] += sum.squared_errors[i] / count;
  }
  return mean;
}

}  // namespace

std::vector<InputError> MeasureInputErrors(const Network& network, const Dataset& data, const std::vector<int>& bits,
                                           const Format& format, const PassLimits& limits,
                                           const ProgressCallback& progress) {
  const at::NoGradGuard no_gradient;
  const bool ranges =
      std::any_of(bits.begin(), bits.end(), [&](int width) { return format.WithBits(width).HasScale(); });
  std::optional<ActivationStatistics> statistics;
  if (ranges) statistics = ActivationStatistics::Collect(network, data, limits, progress);
  const at::Device device(network.device());
  const std::vector<at::Tensor> parameters = network.ParameterValues();
  const auto pass = [&](std::int64_t begin, std::int64_t end, InputErrorProbe& probe) {
    probe.StartBatch();
    network.Forward(data.Get(begin, end, device).inputs, parameters, &probe);
  };
  const std::int64_t samples =
      process::SamplesAPass(std::min(limits.batch_size, data.size()), limits.memory_bytes, 0, [&](std::int64_t count) {
        InputErrorProbe trial(network, bits, format, statistics);
        pass(0, count, trial);
      });
  InputErrorProbe probe(network, bits, format, std::move(statistics));
  for (std::int64_t begin = 0; begin < data.size(); begin += samples) {
    const std::int64_t end = std::min(begin + samples, data.size());
    pass(begin, end, probe);
    Report(progress, "activation errors", end, data.size());
  }
  std::vector<InputError> errors;
  for (const Layer& layer : network.layers()) {
    errors.push_back(MeanOverSamples(layer, probe, data.size(), bits.size()));
  }
  return errors;
}

}  // namespace bitplan::hessian
