#pragma once

#include <string_view>

namespace bitplan {

/// What is differentiated. A sample's loss is the mean over its predictions (see OutputKind): one for classes [N, C],
/// H · W for [N, C, H, W], T for [N, T, C], K for [N, K] yes or no. z: a prediction's output, z_float: the float
/// network's.
enum class Loss {
  Auto,          ///< see ResolveLoss
  CrossEntropy,  ///< −log softmax(z)[label]
  /// How far z is from z_float, without labels. Of classes T² · KL(softmax(z_float / T) ‖ softmax(z / T)) (Hinton et
  /// al. 2015); of yes or no the same with the sigmoid's two outcomes; of values (z − z_float)².
  Divergence,
  LogitShift,  ///< ½ ‖P (z − z_float)‖²; of classes P = I − 11ᵀ/C: the centered logits; the limit of C times Divergence
               ///< for large T. Otherwise P = I
  BinaryCrossEntropy,  ///< of sigmoid(z) and labels 0 … 1 of the output's shape; without labels, sigmoid(z_float)
  MeanSquaredError,    ///< (z − label)² where labels are numbers of the output's shape, else (z − z_float)²
  Module,              ///< a sample's number by a model file of the caller's: NetworkOptions::loss_module
};

/// auto, cross-entropy, divergence, logit-shift, binary-cross-entropy, mean-squared-error, module
std::string_view ToString(Loss loss);
Loss ParseLoss(std::string_view text);  ///< throws Error listing the names

}  // namespace bitplan
