#pragma once

#include <torch/custom_class.h>

#include <exception>
#include <functional>

#include "network/layers.h"

namespace bitplan::network {

/// What the tap operators of one run call; travels through the graph as an input, so that runs share nothing.
struct ProbeHandle : torch::CustomClassHolder {
  std::function<at::Tensor(std::int64_t tap, const at::Tensor& value)> visit;  ///< empty: hand the tensor on
  std::exception_ptr error;  ///< what `visit` threw; the interpreter loses the type of exceptions that pass through it
};

/// What a tap operator gives: what `visit` makes of the value.
at::Tensor VisitTap(const at::Tensor& value, const c10::intrusive_ptr<ProbeHandle>& probe, std::int64_t tap);

/// Adds the probe as last graph input and an identity operator at every tap; fills in `tap_sites`.
void InsertTaps(LoweredGraph& lowered, const std::vector<Tap>& taps);

/// Undoes InsertTaps.
void RemoveTaps(LoweredGraph& lowered);

/// Kind of the identity operator: tap(value, probe, tap), the last its number.
c10::Symbol TapSymbol();

torch::jit::Value* Tapped(const torch::jit::Node* tap);  ///< the tensor that it hands on
std::int64_t TapNumber(const torch::jit::Node* tap);

}  // namespace bitplan::network
