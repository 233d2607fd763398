#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitplan::decode {

/// What has to be known of an image before its pixels are decoded.
struct ImageSize {
  std::int64_t width = 0, height = 0;
};

/// Pixels as the file has them, in red, green and blue.
struct Image {
  ImageSize size;
  std::vector<std::uint8_t> rgb;  ///< [height, width, 3]
};

/// Decodes a JPEG, PNG or WebP image, told by its first bytes and not by its name. Other color models become RGB as
/// Pillow's convert("RGB") has it: gray repeated, palettes looked up, alpha dropped, CMYK by its usual formula, of
/// colors of 16 bits the high byte, of gray of 16 bits what is above 255 cut off. Orientation (EXIF), gamma and color
/// profiles are ignored. `name` is named in messages. Throws Error: another format, an animated WebP, more pixels than
/// kMostPixels (before anything is allocated), truncated or malformed data.
Image DecodeImage(std::span<const std::uint8_t> bytes, const std::string& name);

/// All of an image's file, as DecodeImage has it. Throws Error also where the file cannot be read, is empty or has more
/// bytes than any image of kMostPixels needs.
Image ReadImage(const std::string& file);

/// No image has more: 8,192 × 8,192.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;

}  // namespace bitplan::decode
