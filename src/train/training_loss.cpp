#include "train/training_loss.h"

#include <ATen/ATen.h>

#include "bitplan/loss.h"

namespace bitplan {

namespace {

at::Tensor FloatLogits(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  return network.Forward(inputs);
}

}  // namespace

BatchLoss LossOf(const at::Tensor& logits, const Batch& batch, const Network& float_network,
                 const TrainOptions& options) {
  BatchLoss result;
  const double share = options.distillation;
  if (share < 1) result.loss = LossValue(Loss::CrossEntropy, logits, batch.labels) * (1 - share);
  if (share > 0) {
    const at::Tensor target = FloatLogits(float_network, batch.inputs);
    const at::Tensor divergence = LossValue(Loss::Divergence, logits, target, options.temperature) * share;
    result.loss = result.loss.defined() ? result.loss + divergence : divergence;
  }
  if (!batch.labels.defined()) return result;
  const at::Tensor chosen = logits.detach().argmax(ClassAxis(logits, batch.labels));
  result.right = chosen.eq(batch.labels.to(chosen.device())).sum().item<std::int64_t>();
  result.predictions = batch.labels.numel();
  return result;
}

}  // namespace bitplan
