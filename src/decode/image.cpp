#include "decode/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "bitplan/error.h"
#include "decode/array.h"
#include "decode/byte_source.h"
#include "image_format.h"

namespace bitplan::decode {

namespace {

/// The most that an image of kMostPixels takes: four channels of 16 bits, with room for what else stands in a file.
constexpr std::uint64_t kMostFileBytes = static_cast<std::uint64_t>(kMostPixels) * 9;

bool HasAt(std::span<const std::uint8_t> bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char expected, std::uint8_t found) { return static_cast<std::uint8_t>(expected) == found; });
}

/// What people have beside the formats that are read.
std::optional<std::string_view> OtherFormat(std::span<const std::uint8_t> bytes) {
  struct Signature {
    std::size_t at;
    std::string_view bytes, format;
  };
  static constexpr std::array<Signature, 12> kOthers = {{{0, "BM", "BMP"},
                                                         {0, "GIF8", "GIF"},
                                                         {0, std::string_view("II*\0", 4), "TIFF"},
                                                         {0, std::string_view("MM\0*", 4), "TIFF"},
                                                         {0, "P4", "PBM"},
                                                         {0, "P5", "PGM"},
                                                         {0, "P6", "PPM"},
                                                         {4, "ftypavif", "AVIF"},
                                                         {4, "ftypheic", "HEIC"},
                                                         {4, "ftypmif1", "HEIF"},
                                                         {4, "jP  ", "JPEG 2000"},
                                                         {0, std::string_view("\0\0\1\0", 4), "ICO"}}};
  for (const Signature& other : kOthers)
    if (HasAt(bytes, other.at, other.bytes)) return other.format;
  return std::nullopt;
}

}  // namespace

Image EmptyImage(const ImageSize& size, const std::string& name) {
  if (size.width < 1 || size.height < 1)
    throw Error(fmt::format("{}: an image of {} × {} pixels has none", name, size.width, size.height));
  if (size.width > kMostPixels / size.height)
    throw Error(fmt::format("{}: {} × {} pixels; an image may have at most {}", name, size.width, size.height,
                            Grouped(static_cast<std::uint64_t>(kMostPixels))));
  return {size, std::vector<std::uint8_t>(static_cast<std::size_t>(size.width * size.height * 3))};
}

Image DecodeImage(std::span<const std::uint8_t> bytes, const std::string& name) {
  if (HasAt(bytes, 0, "\xff\xd8\xff")) return DecodeJpeg(bytes, name);
  if (HasAt(bytes, 0, "\x89PNG\r\n\x1a\n")) return DecodePng(bytes, name);
  if (HasAt(bytes, 0, "RIFF") && HasAt(bytes, 8, "WEBP")) return DecodeWebp(bytes, name);
  if (const auto format = OtherFormat(bytes))
    throw Error(
        fmt::format("{}: is an image in {}, which is not read; save it as PNG (with Pillow: "
                    "Image.open(FILE).save(FILE + '.png'))",
                    name, *format));
  throw Error(fmt::format("{}: is no image in JPEG, PNG or WebP", name));
}

Image ReadImage(const std::string& file) {
  const FileBytes source(file);
  if (source.size() > kMostFileBytes)
    throw Error(fmt::format("{}: {} bytes are more than an image may have, {}", file, Grouped(source.size()),
                            Grouped(kMostFileBytes)));
  std::vector<std::uint8_t> bytes(source.size());
  source.Read(0, bytes);
  return DecodeImage(bytes, file);
}

}  // namespace bitplan::decode
