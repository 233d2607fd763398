#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/profile.h"
#include "kernel_times.h"

namespace bitplan {

namespace {

/// What one run shows at every site: the first tensor, and how often there was one.
class Recorder : public Probe {
 public:
  at::Tensor Visit(int site, const at::Tensor& value) override {
    first.try_emplace(site, value.detach().clone());
    ++visits[site];
    return value;
  }

  std::map<int, at::Tensor> first;
  std::map<int, int> visits;
};

/// Milliseconds for one sample, all uses together.
struct LayerTime {
  profile::KernelTime float32;
  std::optional<profile::KernelTime> int8;
};

void Add(profile::KernelTime& sum, const profile::KernelTime& time, double times) {
  sum.median += time.median * times;
  sum.spread += time.spread * times;
}

/// Nothing where the layer's operator cannot be run alone.
std::optional<LayerTime> TimeLayer(const Network& network, int index, const Recorder& recorder,
                                   const LatencyOptions& options) {
  const Layer& layer = network.layers()[static_cast<std::size_t>(index)];
  const at::Tensor weight = network.Weight(layer);
  LayerTime total{{}, profile::KernelTime{}};
  for (std::size_t u = 0; u < layer.uses.size(); ++u) {
    const auto product = network::LayerProduct::Of(network, index, u);
    if (!product) return std::nullopt;
    const auto input = recorder.first.find(layer.uses[u].input_site);
    const auto visits = recorder.visits.find(layer.uses[u].output_site);
    if (input == recorder.first.end() || visits == recorder.visits.end()) continue;  // in a branch that was not taken
    std::vector<std::int64_t> repeats(static_cast<std::size_t>(input->second.dim()), 1);
    repeats[0] = options.batch;
    const at::Tensor batch = input->second.repeat(repeats);
    const double executions = visits->second / static_cast<double>(options.batch);
    Add(total.float32, profile::TimeFloat(*product, batch, weight, options), executions);
    const auto int8 = profile::TimeInt8(*product, batch, weight, options);
    if (total.int8 && int8) Add(*total.int8, *int8, executions);
    if (!int8) total.int8.reset();
  }
  return total;
}

/// Milliseconds of a MAC in float over the layers that could be timed.
double MillisecondsPerMac(const std::vector<std::optional<LayerTime>>& times, const std::vector<LayerWork>& work) {
  double milliseconds = 0, macs = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!times[i]) continue;
    milliseconds += times[i]->float32.median;
    macs += static_cast<double>(work[i].macs);
  }
  if (macs == 0) throw Error("no layer of this network can be timed on its own");
  return milliseconds / macs;
}

double Latency(const LayerTime& time, int weight, int activation) {
  const int wider = std::max(weight, activation);
  return wider > 8 || !time.int8 ? time.float32.median : time.int8->median * wider / 8;
}

}  // namespace

void LatencyOptions::Validate() const {
  if (repeats < 3) throw Error(fmt::format("repeats: {} given, at least 3 needed", repeats));
  if (batch < 1) throw Error(fmt::format("batch: {} given, at least 1 needed", batch));
}

CostTable MeasureLatency(const Network& network, const std::vector<at::Tensor>& inputs,
                         const std::vector<int>& weight_bits, const std::vector<int>& activation_bits,
                         const LatencyOptions& options) {
  options.Validate();
  if (network.device() != "cpu")
    throw Error(fmt::format("kernels are timed on the CPU; the network is on {}", network.device()));
  const at::NoGradGuard no_grad;
  Recorder recorder;
  network.Forward(inputs, network.ParameterValues(), &recorder);
  const std::vector<LayerWork> work = WorkOf(network, inputs);
  const auto total = static_cast<std::int64_t>(work.size());
  std::vector<std::optional<LayerTime>> times;
  for (int i = 0; i < static_cast<int>(total); ++i) {
    Report(options.progress, "timing layers", i, total);
    times.push_back(TimeLayer(network, i, recorder, options));
  }
  Report(options.progress, "timing layers", total, total);
  const double per_mac = MillisecondsPerMac(times, work);
  const auto latency = [&](std::size_t i, int weight, int activation) {
    return times[i] ? Latency(*times[i], weight, activation) : per_mac * static_cast<double>(work[i].macs);
  };
  std::vector<std::string> names;
  for (const LayerWork& layer : work) names.push_back(layer.name);
  CostTable table = Tabulate(
      "latency_ms",
      fmt::format("measured with LibTorch {}, quantized engine {}, {} thread(s), batch {}, median of {} repeats",
                  TORCH_VERSION, c10::toString(at::globalContext().qEngine()), at::get_num_threads(), options.batch,
                  options.repeats),
      weight_bits, activation_bits, names, latency);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!times[i]) continue;
    table.layers[i].measured["w32a32"] = times[i]->float32.spread;
    if (times[i]->int8) table.layers[i].measured["w8a8"] = times[i]->int8->spread;
  }
  return table;
}

}  // namespace bitplan
