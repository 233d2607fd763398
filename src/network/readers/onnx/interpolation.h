#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bitplan::network {

/// How Resize finds the numbers between those that there are, by the names of its attributes.
struct Interpolation {
  std::string mode;         ///< nearest, linear, cubic
  std::string coordinates;  ///< half_pixel, align_corners, asymmetric, …
  std::string nearest = "round_prefer_floor";
  double cubic_a = -0.75;
  bool antialias = false;
  bool exclude_outside = false;
};

/// How an axis changes.
struct ResizedAxis {
  std::int64_t from = 0, to = 0;
  double scale = 1;           ///< to / from where no scale is given
  double begin = 0, end = 1;  ///< what is cut out, of tf_crop_and_resize
};

/// Each result along an axis as a sum of products with elements of the input.
struct AxisTaps {
  std::vector<at::Tensor> indices;  ///< int64 [to] each
  std::vector<at::Tensor> weights;  ///< float32 [to] each; none of nearest, which has one element of weight 1
  at::Tensor outside;               ///< bool [to]: results from beyond the input; undefined where there are none such
};

/// As ONNX's reference defines Resize. Throws Error for names that it does not have.
AxisTaps TapsOf(const Interpolation& how, const ResizedAxis& axis);

}  // namespace bitplan::network
