#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bitplan/network.h"
#include "network/impl.h"

namespace bitplan {

namespace {

/// What passed one tap during the run.
struct Passed {
  std::vector<std::int64_t> first_shape;
  std::int64_t elements = 0;
};

std::vector<Passed> Watch(const LayerMap& map, const auto& run) {
  std::vector<Passed> passed(map.taps.size());
  auto handle = c10::make_intrusive<ProbeHandle>();
  handle->visit = [&](std::int64_t tap, const at::Tensor& value) {
    Passed& seen = passed[static_cast<std::size_t>(tap)];
    if (seen.elements == 0) seen.first_shape = value.sizes().vec();
    seen.elements += value.numel();
    return value;
  };
  run(handle);
  return passed;
}

}  // namespace

NetworkProfile ProfileNetwork(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  const LayerMap& map = network.impl_->map;
  NetworkProfile profile;
  const std::vector<Passed> passed = Watch(map, [&](const c10::intrusive_ptr<ProbeHandle>& handle) {
    profile.output_shape = network.impl_->Run(inputs, network.ParameterValues(), handle).sizes().vec();
  });

  std::vector<Passed> by_site(map.sites.size());  // of the tap that saw most, where several operators read the tensor
  for (std::size_t tap = 0; tap < passed.size(); ++tap) {
    Passed& site = by_site[static_cast<std::size_t>(map.taps[tap].site)];
    if (passed[tap].elements > site.elements) site = passed[tap];
  }
  for (const Layer& layer : map.layers) {
    LayerProfile entry;
    std::set<int> counted;
    for (const LayerUse& use : layer.uses) {
      if (use.input_site >= 0 && counted.insert(use.input_site).second) {
        const Passed& input = by_site[static_cast<std::size_t>(use.input_site)];
        if (entry.input_shape.empty()) entry.input_shape = input.first_shape;
        entry.input_count += input.elements;
      }
      if (use.output_site >= 0 && entry.output_shape.empty())
        entry.output_shape = by_site[static_cast<std::size_t>(use.output_site)].first_shape;
    }
    profile.layers.push_back(std::move(entry));
  }
  for (const MacRule& rule : map.macs)
    if (rule.tap >= 0)
      profile.layers[static_cast<std::size_t>(rule.layer)].macs +=
          passed[static_cast<std::size_t>(rule.tap)].elements / rule.denominator * rule.numerator;
  return profile;
}

}  // namespace bitplan
