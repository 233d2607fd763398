#include <fmt/format.h>

#include <utility>

#include "bitplan/error.h"
#include "bitplan/fast.h"
#include "fast_program.h"
#include "quantize/quantized_network.h"

namespace bitplan {

struct FastNetwork::Impl {
  QuantizedNetwork network;
  fast::FastProgram made;
};

FastNetwork FastNetwork::Create(const QuantizedNetwork& network, const FastOptions& options) {
  if (network.network().device() != "cpu")
    throw Error(fmt::format("the 8-bit kernels run on the CPU, and the network is on {}", network.network().device()));
  const at::NoGradGuard no_grad;
  return FastNetwork(std::make_shared<const Impl>(
      Impl{network, fast::MakeFastProgram(network.network(), quantize::StateOf(network), options)}));
}

at::Tensor FastNetwork::Forward(const std::vector<at::Tensor>& inputs) const {
  const at::NoGradGuard no_grad;
  const QuantizedState& state = quantize::StateOf(impl_->network);
  quantize::QuantizingProbe probe(state);  // what stays in float is fake-quantized as ever
  network::StepNotes notes;
  return impl_->made.program.Run(inputs, state.parameters, &probe, notes);
}

const std::vector<bool>& FastNetwork::fast_layers() const { return impl_->made.fast_layers; }
const std::vector<FloatOperator>& FastNetwork::in_float() const { return impl_->made.in_float; }

}  // namespace bitplan
