#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// What a quantized network computes with.
struct QuantizedState {
  std::vector<QuantizedTensor> grids;    ///< one per layer, before the correction
  std::vector<at::Tensor> gains;         ///< α per layer [channels]; undefined for none
  std::vector<QuantizedTensor> weights;  ///< one per layer: the grids with their gains
  std::vector<at::Tensor> parameters;    ///< all parameters' values: quantized weights, corrected biases
  std::map<int, QuantizedInput> inputs;  ///< by LayerInput or Operand site
  std::map<int, at::Tensor> shifts;      ///< by LayerOutput site: β of layers without a bias of their own, to be added
  std::vector<LayerRounding> roundings = {};  ///< one per layer
};

struct QuantizedNetwork::Impl {
  Network network;
  Plan plan;
  QuantizedState state;
};

}  // namespace bitplan

namespace bitplan::quantize {

struct ChannelCorrection;

/// Folds corrections, by layer, into a state: α into the weight's scales; β into the layer's bias where it has one of
/// its own, else it is added to the output.
void FoldCorrection(const Network& network, const std::map<int, ChannelCorrection>& corrections, QuantizedState& state);

/// Bytes of tensors that a state holds beside those of its network, each once.
std::int64_t OwnBytes(const Network& network, const QuantizedState& state);
std::int64_t OwnBytes(const QuantizedNetwork& network);

/// For the rooms that compute a quantized network in other ways.
const QuantizedState& StateOf(const QuantizedNetwork& network);

/// Fake-quantizes layer inputs and operands, and adds the shifts.
class QuantizingProbe : public Probe {
 public:
  explicit QuantizingProbe(const QuantizedState& state) : state_(state) {}
  at::Tensor Visit(int site, const at::Tensor& value) override;

 private:
  const QuantizedState& state_;
};

}  // namespace bitplan::quantize
