#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "bitplan/data.h"
#include "decode/image.h"

namespace bitplan::data {

/// The pixels as the options have them resized and cropped, [3, h, w], uint8, contiguous: as torchvision's Resize (of a
/// tensor, with antialias) and CenterCrop. Throws Error where it has more than decode::kMostPixels once resized.
at::Tensor Transformed(const decode::Image& image, const DataOptions& options, const std::string& name);

}  // namespace bitplan::data
