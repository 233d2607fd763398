#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bitplan/network.h"
#include "network/impl.h"

namespace bitplan {

namespace {

/// What passed one tap during the run.
struct Passed {
  std::vector<std::int64_t> first_shape;
  std::int64_t elements = 0;
};

std::vector<Passed> Watch(const network::LayerMap& map, const auto& run) {
  std::vector<Passed> passed(map.taps.size());
  auto handle = c10::make_intrusive<network::ProbeHandle>();
  handle->visit = [&](std::int64_t tap, const at::Tensor& value) {
    Passed& seen = passed[static_cast<std::size_t>(tap)];
    if (seen.elements == 0) seen.first_shape = value.sizes().vec();
    seen.elements += value.numel();
    return value;
  };
  run(handle);
  return passed;
}

LayerSummary SummarizeLayer(const network::LayerMap& map, std::size_t index, const std::vector<Passed>& passed) {
  const auto at_tap = [&](int tap) { return tap < 0 ? Passed() : passed[static_cast<std::size_t>(tap)]; };
  LayerSummary profile;
  std::map<int, std::int64_t> read;  // by site: a tensor that several of the layer's operators read counts once
  for (const network::UseTaps& taps : map.use_taps[index]) {
    const Passed input = at_tap(taps.input), output = at_tap(taps.output);
    if (profile.input_shape.empty()) profile.input_shape = input.first_shape;
    if (profile.output_shape.empty()) profile.output_shape = output.first_shape;
    profile.output_count += output.elements;
    if (taps.input < 0) continue;
    std::int64_t& elements = read[map.taps[static_cast<std::size_t>(taps.input)].site];
    elements = std::max(elements, input.elements);
  }
  for (const auto& [site, elements] : read) profile.input_count += elements;
  return profile;
}

}  // namespace

NetworkSummary Summarize(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  const network::LayerMap& map = network.impl().map;
  NetworkSummary profile;
  const std::vector<Passed> passed = Watch(map, [&](const c10::intrusive_ptr<network::ProbeHandle>& handle) {
    profile.output_shape = network.impl().Run(inputs, network.ParameterValues(), handle).sizes().vec();
  });

  for (std::size_t i = 0; i < map.layers.size(); ++i) profile.layers.push_back(SummarizeLayer(map, i, passed));
  for (const network::MacRule& rule : map.macs)
    if (rule.tap >= 0)
      profile.layers[static_cast<std::size_t>(rule.layer)].macs +=
          passed[static_cast<std::size_t>(rule.tap)].elements / rule.denominator * rule.numerator;
  return profile;
}

}  // namespace bitplan
