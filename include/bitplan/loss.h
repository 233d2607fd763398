#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace bitplan {

/// What is differentiated. A sample's loss is the mean over its predictions: one for [N, C], H · W for [N, C, H, W], T
/// for [N, T, C]; for the last two, over the elements of its output.
enum class Loss {
  Auto,          ///< CrossEntropy where the data has labels, else Divergence
  CrossEntropy,  ///< −log softmax(z)[label]
  Divergence,    ///< T² · KL(softmax(z_float / T) ‖ softmax(z / T)), from the float network's own output, no labels
                 ///< (Hinton et al. 2015)
  LogitShift,  ///< ½ ‖P (z − z_float)‖², P = I − 11ᵀ/C: the centered logits; the limit of C times Divergence for large
               ///< T
  BinaryCrossEntropy,  ///< of sigmoid(z) and labels 0 or 1 of the output's shape; without labels, sigmoid(z_float)
  MeanSquaredError,    ///< (z − z_float)²
};

/// Whether a loss compares with labels, given that the data has some, and not with the float network's output.
bool UsesLabels(Loss loss, bool has_labels);

/// Axis of `logits` that holds the classes: 1 for [N, C] and [N, C, H, W] (and [N, C, T] when labels are [N, T] with
/// that T), the last for sequences [N, T, C]. `labels` may be undefined.
std::int64_t ClassAxis(const at::Tensor& logits, const at::Tensor& labels);

/// Every sample's loss, float64 [N], differentiable. `target` is int64 labels or the float network's logits, see
/// UsesLabels; `temperature` > 0 is Divergence's. Throws Error when shapes do not fit or a label is outside the
/// classes.
at::Tensor SampleLosses(Loss loss, const at::Tensor& logits, const at::Tensor& target, double temperature = 1);

/// Their mean, a float64 scalar.
at::Tensor LossValue(Loss loss, const at::Tensor& logits, const at::Tensor& target, double temperature = 1);

std::string_view ToString(
    Loss loss);  ///< auto, cross-entropy, divergence, logit-shift, binary-cross-entropy, mean-squared-error
Loss ParseLoss(std::string_view text);  ///< throws Error listing the names

}  // namespace bitplan
