#pragma once

#include <map>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// Format and range of a fake-quantized layer input.
struct QuantizedInput {
  Format format;
  ActivationRange range;
};

/// What a quantized network computes with.
struct QuantizedState {
  std::vector<QuantizedTensor> weights;    ///< one per layer
  std::vector<at::Tensor> parameters;      ///< all parameters' values: quantized weights, corrected biases
  std::map<int, QuantizedInput> inputs;    ///< by LayerInput site
  std::map<int, at::Tensor> shifts;        ///< by LayerOutput site: β of layers without a bias of their own, to be added
  std::vector<at::Tensor> channel_scales;  ///< one per layer: α, shaped to multiply the weight; undefined for none
};

struct QuantizedNetwork::Impl {
  Network network;
  Plan plan;
  QuantizedState state;
};

/// Fake-quantizes layer inputs and adds the shifts.
class QuantizingProbe : public Probe {
 public:
  explicit QuantizingProbe(const QuantizedState& state) : state_(state) {}
  at::Tensor Visit(int site, const at::Tensor& value) override;

 private:
  const QuantizedState& state_;
};

/// A float weight on the grid that was found for it, times α (or undefined), with the straight-through gradient.
at::Tensor FakeQuantizeWeight(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& alpha);

}  // namespace bitplan
