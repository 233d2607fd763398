#pragma once

#include <string>

#include "bitplan/network.h"

namespace bitplan::train {

/// A network's graph as it was in training, before it was put in eval mode.
class TrainingGraph {
 public:
  /// The same network with dropout at work, and, with `batch_norm`, every batch norm that has running statistics
  /// normalizing by its batch and updating them: in place, in the parameters that Network::Forward is given. Operators
  /// that scripting settled for eval (attention's dropout) stay as they are.
  static Network Of(const Network& network, bool batch_norm);

  /// What remains to be selected of what the graph returns, as NetworkOptions::output of a file that holds it.
  static std::string RemainingOutput(const Network& network);
};

/// What a batch norm takes of a batch's statistics where the model averaged over all batches.
inline constexpr double kDefaultMomentum = 0.1;

}  // namespace bitplan::train
