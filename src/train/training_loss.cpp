#include "training_loss.h"

#include <ATen/ATen.h>

#include "bitplan/loss.h"

namespace bitplan::train {

namespace {

at::Tensor FloatLogits(const Network& network, const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_grad;
  return network.Forward(inputs);
}

}  // namespace

BatchLoss LossOf(const Criterion& criterion, const at::Tensor& output, const Batch& batch, const Network& float_network,
                 const TrainOptions& options) {
  BatchLoss result;
  const double share = options.distillation;
  if (share < 1) result.loss = LossValue(criterion.WithLabels(), output, {}, batch.labels) * (1 - share);
  if (share > 0) {
    Criterion distance = criterion.With(Loss::Divergence);
    distance.temperature = options.temperature;
    const at::Tensor target = FloatLogits(float_network, batch.inputs);
    const at::Tensor divergence = LossValue(distance, output, target, batch.labels) * share;
    result.loss = result.loss.defined() ? result.loss + divergence : divergence;
  }
  if (!criterion.labelled || !Decides(criterion.outputs)) return result;
  const at::Tensor right = RightDecisions(criterion, output, batch.labels);
  const at::Tensor counted = CountedPredictions(criterion, output, batch.labels);
  result.right = right.sum().item<std::int64_t>();
  result.predictions = counted.defined() ? counted.sum().item<std::int64_t>() : right.numel();
  return result;
}

}  // namespace bitplan::train
