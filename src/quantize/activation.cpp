#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "quantize/calibration/histogram.h"
#include "quantize/calibration/range.h"

namespace bitplan {

struct ActivationStatistics::Impl {
  std::map<int, Histogram> histograms;
  std::vector<std::string> site_names;
};

namespace {

class Recorder : public Probe {
 public:
  explicit Recorder(const Network& network) : network_(network) {}

  at::Tensor Visit(int site, const at::Tensor& value) override {
    const Site& which = network_.sites()[static_cast<std::size_t>(site)];
    if (which.kind != Site::Kind::LayerInput || !value.is_floating_point()) return value;
    const at::Tensor copy = value.detach().to(at::kCPU, at::kFloat).contiguous();
    try {
      histograms[site].Add({copy.const_data_ptr<float>(), static_cast<std::size_t>(copy.numel())});
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", which.name, error.what()));
    }
    return value;
  }

  std::map<int, Histogram> histograms;

 private:
  const Network& network_;
};

/// Rounds to float16 and back; the gradient passes straight through.
struct RoundToHalf : torch::autograd::Function<RoundToHalf> {
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& x) { return x.to(at::kHalf).to(x.scalar_type()); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list gradients) {
    return gradients;
  }
};

}  // namespace

ActivationStatistics ActivationStatistics::Collect(const Network& network, const Dataset& data, std::int64_t batch_size,
                                                   const ProgressCallback& progress) {
  const at::NoGradGuard no_grad;
  Recorder recorder(network);
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size) {
    Report(progress, "activation ranges", begin, data.size());
    const Batch batch = data.Get(begin, std::min(begin + batch_size, data.size()), at::Device(network.device()));
    network.Forward(batch.inputs, network.ParameterValues(), &recorder);
  }
  Report(progress, "activation ranges", data.size(), data.size());
  auto impl = std::make_shared<Impl>();
  impl->histograms = std::move(recorder.histograms);
  for (const Site& site : network.sites()) impl->site_names.push_back(site.name);
  ActivationStatistics statistics;
  statistics.impl_ = std::move(impl);
  return statistics;
}

bool ActivationStatistics::Has(int site) const { return impl_->histograms.contains(site); }

ActivationRange ActivationStatistics::Range(int site, const Format& format) const {
  format.Validate();
  if (format.IsInteger() && format.granularity != Granularity::Tensor)
    throw Error("activations have one scale a tensor; their granularity must be tensor");
  const auto found = impl_->histograms.find(site);
  if (found == impl_->histograms.end())
    throw Error(fmt::format("{} was never reached on the calibration data, so it has no range",
                            site >= 0 && site < std::ssize(impl_->site_names) ? impl_->site_names[static_cast<std::size_t>(site)] : "the site"));
  if (!format.IsInteger()) return {};
  const QuantizationRange range = Calibrate(found->second.Values(), format);
  return {range.scale, range.zero_point};
}

at::Tensor FakeQuantize(const at::Tensor& x, const Format& format, const ActivationRange& range) {
  if (format.bits == 32) return x;
  if (format.bits == 16) return RoundToHalf::apply(x);
  return at::fake_quantize_per_tensor_affine(x, range.scale, range.zero_point, format.QuantMin(), format.QuantMax());
}

}  // namespace bitplan
