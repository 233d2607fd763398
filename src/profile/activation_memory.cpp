#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "bitplan/profile.h"
#include "network/activation_trace.h"

namespace bitplan {

namespace {

/// Bytes that are live at one moment.
struct LiveBytes {
  std::string name;
  double fixed = 0;
  std::map<int, std::vector<double>> of_layer;  ///< at each width

  double InFloat() const {
    double bytes = fixed;
    for (const auto& [layer, at_widths] : of_layer) bytes += at_widths.back();
    return bytes;
  }
};

/// `widths` are ascending and end with 32.
std::vector<double> BytesAt(const network::BufferVersion& version, const std::vector<int>& widths) {
  std::vector<double> bytes;
  for (const int bits : widths)
    bytes.push_back(
        static_cast<double>(bits == 32 ? version.elements * version.element_size : (version.elements * bits + 7) / 8));
  return bytes;
}

LiveBytes Count(const network::ActivationTrace& trace, const network::Moment& moment, const std::vector<int>& widths) {
  std::map<std::size_t, std::vector<const network::BufferVersion*>> buffers;
  for (const std::size_t version : moment.live)
    buffers[trace.versions[version].buffer].push_back(&trace.versions[version]);
  LiveBytes live{moment.name, 0, {}};
  for (const auto& [buffer, versions] : buffers) {
    const network::BufferVersion& first = *versions.front();
    const bool alike = std::all_of(versions.begin(), versions.end(),
                                   [&](const network::BufferVersion* each) { return each->layer == first.layer; });
    const std::vector<double> bytes = BytesAt(first, widths);
    if (first.layer < 0 || !alike) {  // two versions share the buffer while an operator works in place
      live.fixed += bytes.back();
      continue;
    }
    std::vector<double>& sum = live.of_layer[first.layer];
    sum.resize(widths.size());
    for (std::size_t i = 0; i < widths.size(); ++i) sum[i] += bytes[i];
  }
  return live;
}

/// Whether `a` is at least `b` for every plan: at each layer's width that is best for `b`.
bool Covers(const LiveBytes& a, const LiveBytes& b) {
  double least = a.fixed - b.fixed;
  for (const auto& [layer, bytes] : a.of_layer) {
    const auto other = b.of_layer.find(layer);
    double difference = bytes.front() - (other == b.of_layer.end() ? 0 : other->second.front());
    for (std::size_t i = 1; i < bytes.size(); ++i)
      difference = std::min(difference, bytes[i] - (other == b.of_layer.end() ? 0 : other->second[i]));
    least += difference;
  }
  for (const auto& [layer, bytes] : b.of_layer)
    if (!a.of_layer.contains(layer)) least -= *std::max_element(bytes.begin(), bytes.end());
  return least >= 0;
}

/// Those that are the peak for some plan, or seem so to Covers.
std::vector<LiveBytes> Peaks(std::vector<LiveBytes> moments) {
  std::stable_sort(moments.begin(), moments.end(),
                   [](const LiveBytes& a, const LiveBytes& b) { return a.InFloat() > b.InFloat(); });
  std::vector<LiveBytes> peaks;
  for (LiveBytes& moment : moments) {
    if (std::any_of(peaks.begin(), peaks.end(), [&](const LiveBytes& peak) { return Covers(peak, moment); })) continue;
    std::erase_if(peaks, [&](const LiveBytes& peak) { return Covers(moment, peak); });
    peaks.push_back(std::move(moment));
  }
  return peaks;
}

}  // namespace

std::vector<CostTable> ActivationMemory(const Network& network, const std::vector<at::Tensor>& inputs,
                                        const std::vector<int>& activation_bits) {
  std::vector<int> widths = activation_bits;
  if (widths.empty() || widths.back() != 32) widths.push_back(32);
  const network::ActivationTrace trace = network::TraceActivations(network, inputs);
  std::vector<LiveBytes> moments;
  for (const network::Moment& moment : trace.moments) moments.push_back(Count(trace, moment, widths));
  std::vector<CostTable> tables;
  for (const LiveBytes& peak : Peaks(std::move(moments))) {
    CostTable& table = tables.emplace_back(CostTable{fmt::format("activation_memory_bytes@{}", peak.name),
                                                     "liveness of one sample's run",
                                                     peak.fixed,
                                                     {},
                                                     widths,
                                                     {}});
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const auto found = peak.of_layer.find(static_cast<int>(i));
      table.layers.push_back(
          {network.layers()[i].name, found == peak.of_layer.end() ? std::vector<double>() : found->second});
    }
  }
  return tables;
}

}  // namespace bitplan
