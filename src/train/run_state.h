#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "bitplan/train.h"

namespace bitplan::train {

/// How far a run has come.
struct RunState {
  std::int64_t stage = 0;                   ///< of those that lower the widths
  std::int64_t epoch = 0;                   ///< epochs finished
  std::int64_t step = 0;                    ///< steps finished of the next one
  double loss_sum = 0;                      ///< over these
  std::int64_t right = 0, predictions = 0;  ///< of their samples
  std::vector<TrainEpoch> curve;
  std::int64_t best_epoch = 0;
  double best_loss = std::numeric_limits<double>::infinity();  ///< on what is held out; infinite where none was
                                                               ///< measured yet that counts
  std::vector<at::Tensor> best;                                ///< as TrainedNetwork::tensors()
};

}  // namespace bitplan::train
