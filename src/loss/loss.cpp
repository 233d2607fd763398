#include "bitplan/loss.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <string>

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

at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor log_probabilities = LogProbabilities(logits, ClassAxis(logits, labels));
  CheckLabels(labels, logits, log_probabilities);
  return -log_probabilities.gather(-1, labels.to(logits.device()).unsqueeze(-1)).mean();
}

at::Tensor Divergence(const at::Tensor& logits, const at::Tensor& float_logits) {
  const std::int64_t axis = ClassAxis(logits, {});
  if (!float_logits.defined() || float_logits.sizes() != logits.sizes()) {
    throw Error(fmt::format("divergence needs the float network's logits of shape {}", Shape(logits)));
  }
  const at::Tensor target = LogProbabilities(float_logits, axis);
  return (target.exp() * (target - LogProbabilities(logits, axis))).sum(-1).mean();
}

}  // namespace

std::int64_t ClassAxis(const at::Tensor& logits, const at::Tensor& labels) {
  if (logits.dim() < 2) {
    throw Error(fmt::format("the network's output has shape {}, expected logits {}", Shape(logits), kOutputForms));
  }
  if (logits.dim() != 3) return 1;
  const bool classes_first = labels.defined() && labels.dim() == 2 && labels.size(1) == logits.size(2);
  return classes_first ? 1 : 2;
}

at::Tensor LossValue(Loss loss, const at::Tensor& logits, const at::Tensor& target) {
  if (!logits.is_floating_point()) {
    throw Error(fmt::format("the network's output is {}, expected floating-point logits {}",
                            c10::toString(logits.scalar_type()), kOutputForms));
  }
  switch (loss) {
    case Loss::CrossEntropy:
      return CrossEntropy(logits, target);
    case Loss::Divergence:
      return Divergence(logits, target);
    case Loss::Auto:
      break;
  }
  throw Error("the loss must be cross-entropy or divergence by the time it is computed, not auto");
}

std::string_view ToString(Loss loss) {
  switch (loss) {
    case Loss::CrossEntropy:
      return "cross-entropy";
    case Loss::Divergence:
      return "divergence";
    case Loss::Auto:
      break;
  }
  return "auto";
}

Loss ParseLoss(std::string_view text) {
  for (const Loss loss : {Loss::Auto, Loss::CrossEntropy, Loss::Divergence}) {
    if (text == ToString(loss)) return loss;
  }
  throw Error(fmt::format("unknown loss '{}': expected auto, cross-entropy or divergence", text));
}

}  // namespace bitplan
