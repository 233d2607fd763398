#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "bitplan/data.h"
#include "bitplan/train.h"

namespace bitplan::train {

/// Images [N, C, H, W], each cut out of itself with `crop_padding` black pixels around it, and mirrored left to right
/// every other time, as the options say; the draws are `generator`'s. `black`: what a pixel of 0 becomes in the data,
/// [C].
at::Tensor Augment(const at::Tensor& images, const TrainOptions& options, const at::Tensor& black,
                   at::Generator generator);

/// What a black pixel becomes in prepared images of so many channels: −mean / std.
at::Tensor BlackPixel(const Dataset& data, std::int64_t channels);

}  // namespace bitplan::train
