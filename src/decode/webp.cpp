#include <fmt/format.h>
#include <webp/decode.h>

#include "bitplan/error.h"
#include "image_format.h"

namespace bitplan::decode {

Image DecodeWebp(std::span<const std::uint8_t> bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK)
    throw Error(fmt::format("{}: the WebP image is truncated or malformed", name));
  if (features.has_animation)
    throw Error(fmt::format("{}: is an animated WebP; save the picture that is meant as a still one", name));
  Image image = EmptyImage({features.width, features.height}, name);
  if (!WebPDecodeRGBInto(bytes.data(), bytes.size(), image.rgb.data(), image.rgb.size(), features.width * 3))
    throw Error(fmt::format("{}: the WebP image is truncated or malformed", name));
  return image;
}

}  // namespace bitplan::decode
