#include <fmt/format.h>

#include <utility>

#include "bitplan/error.h"
#include "bitplan/integer.h"
#include "integer_program.h"
#include "quantize/quantized_network.h"

namespace bitplan {

struct IntegerNetwork::Impl {
  QuantizedNetwork network;
  integer::IntegerProgram made;

  at::Tensor Run(const std::vector<at::Tensor>& inputs, integer::IntegerNotes& notes) const {
    const at::NoGradGuard no_grad;
    const QuantizedState& state = quantize::StateOf(network);
    notes.overflows.assign(network.network().layers().size(), 0);
    quantize::QuantizingProbe probe(state);  // what stays in float is fake-quantized as ever
    return made.program.Run(inputs, state.parameters, &probe, notes);
  }
};

IntegerNetwork IntegerNetwork::Create(const QuantizedNetwork& network, const IntegerOptions& options) {
  options.Validate();
  if (network.network().device() != "cpu")
    throw Error(
        fmt::format("integer arithmetic runs on the CPU, and the network is on {}", network.network().device()));
  const at::NoGradGuard no_grad;
  return IntegerNetwork(std::make_shared<const Impl>(
      Impl{network, integer::MakeIntegerProgram(network.network(), quantize::StateOf(network), options)}));
}

IntegerRun IntegerNetwork::Run(const std::vector<at::Tensor>& inputs) const {
  integer::IntegerNotes notes;
  at::Tensor output = impl_->Run(inputs, notes);
  return {std::move(output), std::move(notes.overflows)};
}

std::vector<std::pair<int, at::Tensor>> IntegerNetwork::InputCodes(const std::vector<at::Tensor>& inputs) const {
  integer::IntegerNotes notes;
  notes.keep_codes = true;
  impl_->Run(inputs, notes);
  return std::move(notes.codes);
}

const std::vector<bool>& IntegerNetwork::integer_layers() const { return impl_->made.integer_layers; }
const std::vector<FloatOperator>& IntegerNetwork::in_float() const { return impl_->made.in_float; }

}  // namespace bitplan
