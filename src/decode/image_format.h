#pragma once

#include "decode/image.h"

namespace bitplan::decode {

/// One format's decoder each: as DecodeImage, of bytes that begin as that format does.
Image DecodeJpeg(std::span<const std::uint8_t> bytes, const std::string& name);
Image DecodePng(std::span<const std::uint8_t> bytes, const std::string& name);
Image DecodeWebp(std::span<const std::uint8_t> bytes, const std::string& name);

/// Room for an image of this size. Throws Error where it has no pixels or more than kMostPixels.
Image EmptyImage(const ImageSize& size, const std::string& name);

}  // namespace bitplan::decode
