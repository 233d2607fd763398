#include "step_optimizer.h"

#include <ATen/ATen.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <map>
#include <utility>

namespace bitplan::train {

namespace {

template <typename Optimizer, typename Options>
std::unique_ptr<torch::optim::Optimizer> Make(const std::vector<TrainedTensor>& learned, const Options& defaults) {
  std::map<double, std::vector<at::Tensor>> by_decay;
  for (const TrainedTensor& tensor : learned) by_decay[tensor.weight_decay].push_back(tensor.value);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (auto& [decay, tensors] : by_decay) {
    Options options = defaults;
    options.weight_decay(decay);
    groups.emplace_back(std::move(tensors), std::make_unique<Options>(options));
  }
  return std::make_unique<Optimizer>(std::move(groups), defaults);
}

}  // namespace

StepOptimizer::StepOptimizer(const TrainOptions& options, const std::vector<TrainedTensor>& tensors)
    : clip_norm_(options.clip_norm) {
  for (const TrainedTensor& tensor : tensors)
    if (tensor.learned) learned_.push_back(tensor);
  if (options.optimizer == OptimizerKind::Adam)
    optimizer_ = Make<torch::optim::Adam>(learned_, torch::optim::AdamOptions(options.learning_rate));
  else
    optimizer_ =
        Make<torch::optim::SGD>(learned_, torch::optim::SGDOptions(options.learning_rate).momentum(options.momentum));
}

std::optional<std::string> StepOptimizer::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < learned_.size(); ++i) {
    if (!learned_[i].value.grad().defined()) continue;
    gradients.push_back(learned_[i].value.grad());
    of.push_back(i);
  }
  if (gradients.empty()) return std::nullopt;
  const at::Tensor norms = at::stack(at::_foreach_norm(gradients)).cpu();
  const auto norm = norms.norm().item<double>();
  if (!std::isfinite(norm)) {
    const auto first = norms.isfinite().logical_not().to(at::kInt).argmax().item<std::int64_t>();
    return learned_[of[static_cast<std::size_t>(first)]].name;
  }
  if (clip_norm_ > 0 && norm > clip_norm_) at::_foreach_mul_(gradients, at::Scalar(clip_norm_ / norm));
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(learning_rate);
  optimizer_->step();
  return std::nullopt;
}

}  // namespace bitplan::train
