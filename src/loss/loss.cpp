#include "bitplan/loss.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "loss/predictions.h"
#include "shape_text.h"

namespace bitplan {

namespace {

/// What the losses of some predictions are made of. In float64: where the network is sure of a class, 1 − p would have
/// no correct digit in float32, and gradient and Hessian of the loss are made of it.
struct Compared {
  at::Tensor z;        ///< [N, predictions, numbers]
  at::Tensor z_float;  ///< likewise; undefined where it is not compared with
  at::Tensor labels;   ///< [N, predictions], 0 where ignored; undefined where they are not compared with
};

at::Tensor CrossEntropy(const Compared& compared) {
  return -at::log_softmax(compared.z, -1).gather(-1, compared.labels.unsqueeze(-1)).squeeze(-1);
}

at::Tensor SoftmaxDivergence(const Compared& compared, double temperature) {
  const at::Tensor target = at::log_softmax(compared.z_float / temperature, -1);
  const at::Tensor shifted = at::log_softmax(compared.z / temperature, -1);
  return (target.exp() * (target - shifted)).sum(-1) * (temperature * temperature);
}

at::Tensor SigmoidDivergence(const Compared& compared, double temperature) {
  const at::Tensor from = compared.z_float.squeeze(-1) / temperature, to = compared.z.squeeze(-1) / temperature;
  const at::Tensor yes = at::log_sigmoid(from), no = at::log_sigmoid(-from);
  const at::Tensor divergence = yes.exp() * (yes - at::log_sigmoid(to)) + no.exp() * (no - at::log_sigmoid(-to));
  return divergence * (temperature * temperature);
}

at::Tensor SquaredError(const Compared& compared) {
  const at::Tensor target = compared.labels.defined() ? compared.labels.unsqueeze(-1) : compared.z_float;
  return (compared.z - target).square().mean(-1);
}

at::Tensor Divergence(OutputKind outputs, const Compared& compared, double temperature) {
  switch (outputs) {
    case OutputKind::Classes:
      return SoftmaxDivergence(compared, temperature);
    case OutputKind::Binary:
      return SigmoidDivergence(compared, temperature);
    case OutputKind::Values:
    case OutputKind::Several:
      break;
  }
  return SquaredError(compared);
}

at::Tensor LogitShift(OutputKind outputs, const Compared& compared) {
  const at::Tensor shift = compared.z - compared.z_float;
  const bool centered = outputs == OutputKind::Classes;
  return (centered ? shift - shift.mean(-1, /*keepdim=*/true) : shift).square().sum(-1) / 2;
}

at::Tensor BinaryCrossEntropy(const Compared& compared) {
  const at::Tensor z = compared.z.squeeze(-1);
  const at::Tensor wanted =
      compared.labels.defined() ? compared.labels.to(at::kDouble) : compared.z_float.squeeze(-1).sigmoid();
  return at::binary_cross_entropy_with_logits(z, wanted, {}, {}, at::Reduction::None);
}

/// [N, predictions].
at::Tensor PredictionLosses(const Criterion& criterion, const Compared& compared) {
  switch (criterion.loss) {
    case Loss::CrossEntropy:
      return CrossEntropy(compared);
    case Loss::Divergence:
      return Divergence(criterion.outputs, compared, criterion.temperature);
    case Loss::LogitShift:
      return LogitShift(criterion.outputs, compared);
    case Loss::BinaryCrossEntropy:
      return BinaryCrossEntropy(compared);
    case Loss::MeanSquaredError:
      return SquaredError(compared);
    case Loss::Module:
    case Loss::Auto:
      break;
  }
  throw Error("the loss must be settled by the time it is computed, not auto");
}

Compared Compare(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output,
                 const at::Tensor& labels) {
  Compared compared;
  const at::Tensor by_prediction = ByPrediction(criterion, output);
  compared.z = by_prediction.to(at::kDouble);
  if (criterion.ComparesWithLabels()) {
    compared.labels = loss::LabelsByPrediction(output, by_prediction, labels);
    return compared;
  }
  if (!float_output.defined() || float_output.sizes() != output.sizes())
    throw Error(fmt::format("{} needs the float network's output of shape {}", ToString(criterion.loss),
                            loss::ShapeText(output.sizes())));
  compared.z_float = ByPrediction(criterion, float_output).to(at::kDouble);
  return compared;
}

}  // namespace

bool Criterion::ComparesWithLabels() const {
  if (loss == Loss::CrossEntropy || loss == Loss::Module) return true;
  const OutputKind of_loss = loss == Loss::BinaryCrossEntropy ? OutputKind::Binary : OutputKind::Values;
  return labelled && outputs == of_loss && (loss == Loss::BinaryCrossEntropy || loss == Loss::MeanSquaredError);
}

Criterion Criterion::With(Loss other) const {
  Criterion changed = *this;
  changed.loss = other;
  changed.temperature = 1;
  return changed;
}

Criterion Criterion::OfOutput(std::size_t index) const {
  Criterion one = *this;
  one.outputs = several[index].kind;
  one.class_axis = 1;
  one.several.clear();
  return one;
}

Criterion Criterion::WithLabels() const {
  if (module) return With(Loss::Module);
  switch (outputs) {
    case OutputKind::Classes:
      return With(Loss::CrossEntropy);
    case OutputKind::Binary:
      return With(Loss::BinaryCrossEntropy);
    case OutputKind::Values:
    case OutputKind::Several:
      break;
  }
  return With(Loss::MeanSquaredError);
}

std::vector<at::Tensor> Apart(const Criterion& criterion, const at::Tensor& output) {
  std::vector<at::Tensor> outputs;
  std::int64_t begin = 0;
  for (const JudgedOutput& each : criterion.several) {
    std::vector<std::int64_t> shape = each.output.shape;
    shape.insert(shape.begin(), output.size(0));
    const std::int64_t numbers = c10::multiply_integers(each.output.shape);
    if (begin + numbers > output.size(1)) break;
    outputs.push_back(output.narrow(1, begin, numbers).reshape(shape));
    begin += numbers;
  }
  if (begin == output.size(1) && outputs.size() == criterion.several.size()) return outputs;
  throw Error(
      fmt::format("the network's outputs hold {} numbers a sample, and others before; their shapes must not "
                  "change from sample to sample",
                  output.size(1)));
}

at::Tensor Judge(const SampleFunction& function, const Criterion& criterion, const at::Tensor& output,
                 const at::Tensor& labels) {
  if (criterion.outputs != OutputKind::Several) return function(output, labels);
  std::vector<std::string> names;
  for (const JudgedOutput& each : criterion.several) names.push_back(each.output.name);
  return function(Apart(criterion, output), names, labels);
}

namespace {

at::Tensor ModuleLosses(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels) {
  const at::Tensor losses = Judge(criterion.module.value(), criterion, output, labels);
  if (at::GradMode::is_enabled() && output.requires_grad() && !losses.requires_grad())
    throw Error(
        fmt::format("the loss module {} has no derivative in the network's output, as counts and the largest's "
                    "place have none: it can be a metric, but nothing is analyzed or trained by it",
                    criterion.module->name()));
  return losses;
}

at::Tensor SumOverOutputs(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output) {
  if (!float_output.defined())
    throw Error(fmt::format("{} of several outputs needs those of the float network", ToString(criterion.loss)));
  const std::vector<at::Tensor> own = Apart(criterion, output), wanted = Apart(criterion, float_output);
  at::Tensor sum;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const at::Tensor losses = SampleLosses(criterion.OfOutput(i), own[i], wanted[i], {}) * criterion.several[i].weight;
    sum = sum.defined() ? sum + losses : losses;
  }
  return sum;
}

}  // namespace

at::Tensor SampleLosses(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output,
                        const at::Tensor& labels) {
  if (criterion.loss == Loss::Module) return ModuleLosses(criterion, output, labels);
  if (criterion.outputs == OutputKind::Several) return SumOverOutputs(criterion, output, float_output);
  const at::Tensor losses = PredictionLosses(criterion, Compare(criterion, output, float_output, labels));
  const at::Tensor counted = CountedPredictions(criterion, output, labels);
  if (!counted.defined()) return losses.mean(1);
  return losses.masked_fill(counted.logical_not(), 0).sum(1) / criterion.counted;
}

at::Tensor LossValue(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output,
                     const at::Tensor& labels) {
  return SampleLosses(criterion, output, float_output, labels).mean();
}

}  // namespace bitplan
