#include "image_transform.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"

namespace bitplan::data {

namespace {

using decode::ImageSize;

/// The shorter side as long as `side`, the other one in proportion, rounded down.
ImageSize Resized(const ImageSize& size, std::int64_t side) {
  const auto longer = static_cast<std::int64_t>(static_cast<double>(side * std::max(size.width, size.height)) /
                                                static_cast<double>(std::min(size.width, size.height)));
  return size.width <= size.height ? ImageSize{side, longer} : ImageSize{longer, side};
}

void CheckSize(const ImageSize& size, const std::string& name) {
  if (size.width <= decode::kMostPixels / size.height) return;
  throw Error(fmt::format("{}: resized it has {} × {} pixels, and an image may have at most {}", name, size.width,
                          size.height, decode::kMostPixels));
}

/// `pixels`: [1, 3, h, w].
at::Tensor Resize(const at::Tensor& pixels, const DataOptions& options, const std::string& name) {
  const ImageSize from{pixels.size(3), pixels.size(2)}, to = Resized(from, options.resize);
  if (from.width == to.width && from.height == to.height) return pixels;
  CheckSize(to, name);
  const std::vector<std::int64_t> size = {to.height, to.width};
  if (options.interpolation == "nearest") return at::upsample_nearest2d(pixels, size);
  if (options.interpolation == "bicubic") return at::_upsample_bicubic2d_aa(pixels, size, /*align_corners=*/false);
  return at::_upsample_bilinear2d_aa(pixels, size, /*align_corners=*/false);
}

/// Where of `length` pixels a part of `crop`, no longer, begins: the middle, a half rounded to even.
std::int64_t CropBegin(std::int64_t length, std::int64_t crop) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(length - crop) / 2));
}

/// Black around what is smaller, as many pixels on either side, an odd one at the end.
at::Tensor Padded(const at::Tensor& pixels, std::int64_t crop) {
  const std::int64_t height = pixels.size(2), width = pixels.size(3);
  if (height >= crop && width >= crop) return pixels;
  at::Tensor padded = at::zeros({1, 3, std::max(height, crop), std::max(width, crop)}, pixels.options());
  padded.narrow(2, std::max<std::int64_t>(0, crop - height) / 2, height)
      .narrow(3, std::max<std::int64_t>(0, crop - width) / 2, width)
      .copy_(pixels);
  return padded;
}

at::Tensor CenterCrop(const at::Tensor& pixels, std::int64_t crop) {
  const at::Tensor padded = Padded(pixels, crop);
  return padded.narrow(2, CropBegin(padded.size(2), crop), crop).narrow(3, CropBegin(padded.size(3), crop), crop);
}

}  // namespace

at::Tensor Transformed(const decode::Image& image, const DataOptions& options, const std::string& name) {
  at::Tensor pixels =
      at::from_blob(const_cast<std::uint8_t*>(image.rgb.data()), {1, image.size.height, image.size.width, 3}, at::kByte)
          .permute({0, 3, 1, 2});
  if (options.resize > 0) pixels = Resize(pixels, options, name);
  if (options.crop > 0) pixels = CenterCrop(pixels, options.crop);
  return pixels[0].clone(at::MemoryFormat::Contiguous);
}

}  // namespace bitplan::data
