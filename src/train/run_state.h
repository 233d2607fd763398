#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "bitplan/train.h"

namespace bitplan {

/// How far a run has come.
struct RunState {
  std::int64_t epoch = 0;  ///< epochs finished
  std::int64_t step = 0;   ///< steps finished of the next one
  double loss_sum = 0;     ///< over these
  std::int64_t right = 0, predictions = 0;  ///< of their samples
  std::vector<TrainEpoch> curve;
  std::int64_t best_epoch = 0;
  std::vector<at::Tensor> best;  ///< as TrainedNetwork::tensors()
};

}  // namespace bitplan
