#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <variant>

#include "integer/grid.h"
#include "network/step_program.h"

namespace bitplan::integer {

/// What one use of a layer computes with when its weight and its input are integers.
struct LayerOperands {
  QuantizedTensor weight;  ///< integers with one scale, or one a channel
  QuantizedInput input;
  at::Tensor channel_scale;  ///< float64 [1], or [output channels]: of the weight
  at::Tensor bias;           ///< float64 [output channels], or [1]: 0
  int channel_axis = -1;     ///< of the result, from the back
};

/// Of a use, or why it computes in float.
std::variant<LayerOperands, std::string> OperandsOf(const Network& network, const QuantizedState& state,
                                                    const network::LayerOperator& use);

}  // namespace bitplan::integer
