#include "bitplan/loss.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <vector>

#include "bitplan/error.h"

namespace bitplan {

namespace {

constexpr std::string_view kOutputForms = "[N, C], [N, C, H, W], [N, C, T] or [N, T, C]";

std::string Shape(const at::Tensor& tensor) { return fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")); }

/// log softmax(z) with the classes on the last axis, [..., C]. In float64: where the network is sure of a class, 1 − p
/// would have no correct digit in float32, and gradient and Hessian of the loss are made of it.
at::Tensor LogProbabilities(const at::Tensor& logits, std::int64_t class_axis) {
  return at::log_softmax(logits.to(at::kDouble), class_axis).movedim(class_axis, -1);
}

void CheckLabels(const at::Tensor& labels, const at::Tensor& logits, const at::Tensor& log_probabilities) {
  if (!labels.defined() || labels.scalar_type() != at::kLong) throw Error("cross entropy needs int64 labels");
  const auto expected = log_probabilities.sizes().slice(0, static_cast<std::size_t>(log_probabilities.dim()) - 1);
  if (labels.sizes() != expected) {
    throw Error(fmt::format("labels of shape {} do not fit an output of shape {}: expected [{}]", Shape(labels),
                            Shape(logits), fmt::join(expected, ", ")));
  }
  if (labels.numel() == 0) throw Error("cross entropy of no labels");
  const std::int64_t classes = log_probabilities.size(-1);
  const auto [least, greatest] = at::aminmax(labels);
  const std::int64_t first = least.item<std::int64_t>(), last = greatest.item<std::int64_t>();
  if (first < 0 || last >= classes) {
    throw Error(fmt::format("label {} is outside the network's {} classes (0 … {})", first < 0 ? first : last, classes,
                            classes - 1));
  }
}

/// Mean over all axes but the first.
at::Tensor MeanOfSample(const at::Tensor& values) { return values.dim() > 1 ? values.flatten(1).mean(1) : values; }

at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor log_probabilities = LogProbabilities(logits, ClassAxis(logits, labels));
  CheckLabels(labels, logits, log_probabilities);
  return MeanOfSample(-log_probabilities.gather(-1, labels.to(logits.device()).unsqueeze(-1)).squeeze(-1));
}

void CheckFloatLogits(Loss loss, const at::Tensor& logits, const at::Tensor& float_logits) {
  if (float_logits.defined() && float_logits.sizes() == logits.sizes()) return;
  throw Error(fmt::format("{} needs the float network's output of shape {}", ToString(loss), Shape(logits)));
}

at::Tensor Divergence(const at::Tensor& logits, const at::Tensor& float_logits, double temperature) {
  const std::int64_t axis = ClassAxis(logits, {});
  CheckFloatLogits(Loss::Divergence, logits, float_logits);
  const at::Tensor target = LogProbabilities(float_logits.to(at::kDouble) / temperature, axis);
  const at::Tensor shifted = LogProbabilities(logits.to(at::kDouble) / temperature, axis);
  return MeanOfSample((target.exp() * (target - shifted)).sum(-1)) * (temperature * temperature);
}

at::Tensor LogitShift(const at::Tensor& logits, const at::Tensor& float_logits) {
  const std::int64_t axis = ClassAxis(logits, {});
  CheckFloatLogits(Loss::LogitShift, logits, float_logits);
  const at::Tensor shift = logits.to(at::kDouble) - float_logits.to(at::kDouble);
  return MeanOfSample((shift - shift.mean(axis, /*keepdim=*/true)).square().sum(axis)) / 2;
}

/// `target`: labels 0 and 1, or the float network's logits.
at::Tensor BinaryCrossEntropy(const at::Tensor& logits, const at::Tensor& target) {
  if (!target.defined()) throw Error("binary cross entropy needs labels or the float network's output");
  const bool has_column = logits.dim() == 2 && logits.size(1) == 1 && target.dim() == 1;
  const at::Tensor wanted = has_column ? target.unsqueeze(1) : target;
  if (wanted.sizes() != logits.sizes())
    throw Error(fmt::format(
        "labels of shape {} do not fit an output of shape {}: binary cross entropy needs a label 0 or 1 for "
        "every element",
        Shape(target), Shape(logits)));
  const at::Tensor probabilities =
      wanted.is_floating_point() ? wanted.to(at::kDouble).sigmoid() : wanted.to(logits.device(), at::kDouble);
  if (probabilities.max().item<double>() > 1)
    throw Error(fmt::format("label {} given, binary cross entropy needs 0 or 1", wanted.max().item<std::int64_t>()));
  const at::Tensor z = logits.to(at::kDouble);
  return MeanOfSample(at::binary_cross_entropy_with_logits(z, probabilities, {}, {}, at::Reduction::None));
}

at::Tensor SquaredError(const at::Tensor& output, const at::Tensor& float_output) {
  CheckFloatLogits(Loss::MeanSquaredError, output, float_output);
  return MeanOfSample((output.to(at::kDouble) - float_output.to(at::kDouble)).square());
}

constexpr std::array kLosses = {Loss::Auto,       Loss::CrossEntropy,       Loss::Divergence,
                                Loss::LogitShift, Loss::BinaryCrossEntropy, Loss::MeanSquaredError};

}  // namespace

std::int64_t ClassAxis(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.dim() < 2) {
    throw Error(fmt::format("the network's output has shape {}, expected logits {}", Shape(logits), kOutputForms));
  }
  if (logits.dim() != 3) return 1;
  const bool classes_first = labels.defined() && labels.dim() == 2 && labels.size(1) == logits.size(2);
  return classes_first ? 1 : 2;
}

bool UsesLabels(Loss loss, bool has_labels) {
  return loss == Loss::CrossEntropy || (has_labels && loss == Loss::BinaryCrossEntropy);
}

at::Tensor SampleLosses(Loss loss, const at::Tensor& logits, const at::Tensor& target, double temperature) {
  if (!logits.is_floating_point()) {
    throw Error(fmt::format("the network's output is {}, expected floating-point logits {}",
                            c10::toString(logits.scalar_type()), kOutputForms));
  }
  if (!(temperature > 0)) throw Error(fmt::format("temperature {} given, must be above 0", temperature));
  switch (loss) {
    case Loss::CrossEntropy:
      return CrossEntropy(logits, target);
    case Loss::Divergence:
      return Divergence(logits, target, temperature);
    case Loss::LogitShift:
      return LogitShift(logits, target);
    case Loss::BinaryCrossEntropy:
      return BinaryCrossEntropy(logits, target);
    case Loss::MeanSquaredError:
      return SquaredError(logits, target);
    case Loss::Auto:
      break;
  }
  throw Error("the loss must be settled by the time it is computed, not auto");
}

at::Tensor LossValue(Loss loss, const at::Tensor& logits, const at::Tensor& target, double temperature) {
  return SampleLosses(loss, logits, target, temperature).mean();
}

std::string_view ToString(Loss loss) {
  switch (loss) {
    case Loss::CrossEntropy:
      return "cross-entropy";
    case Loss::Divergence:
      return "divergence";
    case Loss::LogitShift:
      return "logit-shift";
    case Loss::BinaryCrossEntropy:
      return "binary-cross-entropy";
    case Loss::MeanSquaredError:
      return "mean-squared-error";
    case Loss::Auto:
      break;
  }
  return "auto";
}

Loss ParseLoss(std::string_view text) {
  std::vector<std::string_view> names;
  for (const Loss loss : kLosses) {
    if (text == ToString(loss)) return loss;
    names.push_back(ToString(loss));
  }
  throw Error(fmt::format("unknown loss '{}': expected one of {}", text, fmt::join(names, ", ")));
}

}  // namespace bitplan
