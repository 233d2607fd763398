#pragma once

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/train.h"
#include "trained_inputs.h"

namespace bitplan::train {

/// LibTorch's optimizers over what is learned, each tensor with its own weight decay.
class StepOptimizer {
 public:
  StepOptimizer(const TrainOptions& options, const std::vector<TrainedTensor>& tensors);

  void ClearGradients() { optimizer_->zero_grad(); }

  /// Clips the gradients and makes a step with them. A gradient that is not finite makes none: its tensor's name.
  std::optional<std::string> Step(double learning_rate);

  void save(torch::serialize::OutputArchive& archive) const { optimizer_->save(archive); }  // as LibTorch's are named
  void load(torch::serialize::InputArchive& archive) { optimizer_->load(archive); }

 private:
  std::vector<TrainedTensor> learned_;
  double clip_norm_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace bitplan::train
