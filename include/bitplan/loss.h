#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace bitplan {

/// What is differentiated.
enum class Loss {
  Auto,          ///< CrossEntropy where the data has labels, else Divergence
  CrossEntropy,  ///< −log softmax(z)[label], mean over the labels
  Divergence,    ///< KL(softmax(z_float) ‖ softmax(z)), mean over the predictions: from the float network's own output, no labels
};

/// Axis of `logits` that holds the classes: 1 for [N, C] and [N, C, H, W] (and [N, C, T] when labels are [N, T] with that T),
/// the last for sequences [N, T, C]. `labels` may be undefined.
std::int64_t ClassAxis(const at::Tensor& logits, const at::Tensor& labels);

/// Mean loss, a float64 scalar. `target` is int64 labels for CrossEntropy, the float network's logits for Divergence. Throws Error
/// when shapes do not fit or a label is outside the classes.
at::Tensor LossValue(Loss loss, const at::Tensor& logits, const at::Tensor& target);

std::string_view ToString(Loss loss);   ///< auto, cross-entropy, divergence
Loss ParseLoss(std::string_view text);  ///< throws Error listing the names

}  // namespace bitplan
