#include "activation_statistics.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "bitplan/error.h"
#include "bitplan/fingerprint.h"
#include "bitplan/quantize.h"
#include "calibration/histogram.h"
#include "calibration/range.h"
#include "process/memory_limit.h"

namespace bitplan {

namespace {

class InputRecorder : public Probe {
 public:
  /// `first`: whether what comes by begins a batch, or is more of the one before.
  InputRecorder(const std::vector<Site>& sites, std::vector<calibration::Histogram>& histograms, bool first)
      : sites_(sites), histograms_(histograms), first_(first) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const auto index = static_cast<std::size_t>(site);
    if (sites_[index].kind == Site::Kind::LayerOutput) return value;
    const at::Tensor values = value.detach().to(at::kCPU, at::kFloat).contiguous();
    try {
      histograms_[index].Add({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())}, first_);
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", sites_[index].name, error.what()));
    }
    return value;
  }

 private:
  const std::vector<Site>& sites_;
  std::vector<calibration::Histogram>& histograms_;
  bool first_;
};

}  // namespace

void ActivationStatistics::Impl::CheckIsInput(int site) const {
  if (site < 0 || static_cast<std::size_t>(site) >= sites.size())
    throw Error(fmt::format("site {} is not one of the network's {}", site, sites.size()));
  const Site& found = sites[static_cast<std::size_t>(site)];
  if (found.kind == Site::Kind::LayerOutput)
    throw Error(fmt::format("{} is a layer's output; no statistics are kept of it", found.name));
}

const calibration::Histogram& ActivationStatistics::Impl::Reached(int site) const {
  const auto index = static_cast<std::size_t>(site);
  if (histograms[index].count() > 0) return histograms[index];
  throw Error(
      fmt::format("{} was not reached by any calibration sample; leave it at 32 bits, or give samples that reach it",
                  sites[index].name));
}

ActivationStatistics ActivationStatistics::Collect(const Network& network, const Dataset& data,
                                                   const PassLimits& limits, const ProgressCallback& progress) {
  if (limits.batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", limits.batch_size));
  const at::NoGradGuard no_grad;
  auto impl = std::make_shared<Impl>();
  impl->model_sha256 = network.sha256();
  impl->weights_sha256 = network.weights_sha256();
  impl->batch_norm_folded = network.batch_norm_folded();
  impl->input_values = network.input_values();
  for (const Layer& layer : network.layers()) impl->layers.push_back({layer.name, Fingerprint(network, layer)});
  impl->sites = network.sites();
  impl->histograms.resize(network.sites().size());
  const auto pass = [&](std::int64_t begin, std::int64_t end, bool first,
                        std::vector<calibration::Histogram>& histograms) {
    InputRecorder recorder(impl->sites, histograms, first);
    network.Forward(data.Get(begin, end, at::Device(network.device())).inputs, network.ParameterValues(), &recorder);
  };
  const std::int64_t batch = std::min(limits.batch_size, data.size());
  const std::int64_t samples = process::SamplesAPass(batch, limits.memory_bytes, 0, [&](std::int64_t count) {
    std::vector<calibration::Histogram> trial(impl->histograms.size());
    pass(0, count, true, trial);
  });
  for (std::int64_t begin = 0; begin < data.size(); begin += batch)
    for (std::int64_t part = begin; part < std::min(begin + batch, data.size()); part += samples) {
      const std::int64_t end = std::min({part + samples, begin + batch, data.size()});
      pass(part, end, part == begin, impl->histograms);
      Report(progress, "activation ranges", end, data.size());
    }
  return ActivationStatistics(std::move(impl));
}

bool ActivationStatistics::Has(int site) const {
  return site >= 0 && static_cast<std::size_t>(site) < impl_->histograms.size() &&
         impl_->histograms[static_cast<std::size_t>(site)].count() > 0;
}

ActivationRange ActivationStatistics::Range(int site, const Format& format) const {
  format.ValidateForActivations();
  impl_->CheckIsInput(site);
  if (!format.HasScale() || format.calibrator == Calibrator::Dynamic) return {};
  const calibration::QuantizationRange range = calibration::Calibrate(impl_->Reached(site).Values(), format);
  return {range.scale, range.zero_point};
}

std::pair<double, double> ActivationStatistics::Extremes(int site) const {
  impl_->CheckIsInput(site);
  const calibration::HistogramState state = impl_->Reached(site).State();
  return {state.min, state.max};
}

}  // namespace bitplan
