#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include "bitplan/error.h"
#include "image_format.h"
#include "tuning.h"

namespace bitplan::decode {

namespace {

/// libpng, which reports errors by a function that must not return: they end the step that meets them. No step may have
/// anything to be destroyed.
class PngReader {
 public:
  using Step = void (*)(PngReader& reader);

  PngReader(std::span<const std::uint8_t> bytes, const std::string& name) : bytes_(bytes), name_(name) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this, [](png_structp png, png_const_charp text) { Of(png).Leave(text); },
        [](png_structp, png_const_charp) {});
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (info_) return;
    png_destroy_read_struct(&png_, nullptr, nullptr);
    throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  png_structp png() const { return png_; }
  png_infop info() const { return info_; }

  /// Throws Error with libpng's words.
  void Do(Step step) {
    if (!Try(step)) throw Error(fmt::format("{}: the PNG image cannot be decoded: {}", name_, message_.data()));
  }

  /// All rows that are there, of as many bytes each as the info says.
  void ReadRows(std::vector<png_bytep> rows) {
    rows_ = std::move(rows);
    Do([](PngReader& reader) { png_read_image(reader.png_, reader.rows_.data()); });
  }

  /// The next bytes of the file.
  static void Read(png_structp png, png_bytep to, std::size_t count) {
    PngReader& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader.bytes_.size()) reader.Leave("it ends too early");
    std::memcpy(to, reader.bytes_.data(), count);
    reader.bytes_ = reader.bytes_.subspan(count);
  }

 private:
  static PngReader& Of(png_structp png) { return *static_cast<PngReader*>(png_get_error_ptr(png)); }

  bool Try(Step step) {
    if (setjmp(escape_) != 0) return false;
    step(*this);
    return true;
  }

  [[noreturn]] void Leave(const char* text) {
    std::strncpy(message_.data(), text, message_.size() - 1);
    std::longjmp(escape_, 1);
  }

  std::span<const std::uint8_t> bytes_;
  const std::string& name_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf escape_{};
  std::array<char, 128> message_{};
  std::vector<png_bytep> rows_;
};

bool IsWideGray(const PngReader& reader) {
  return png_get_color_type(reader.png(), reader.info()) == PNG_COLOR_TYPE_GRAY &&
         png_get_bit_depth(reader.png(), reader.info()) == 16;
}

void Open(PngReader& reader) {
  png_set_read_fn(reader.png(), &reader, PngReader::Read);
  png_set_user_limits(reader.png(), PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // EmptyImage has its own
  png_set_chunk_malloc_max(reader.png(), tuning::kPngChunkBytes);
  png_set_chunk_cache_max(reader.png(), tuning::kPngChunks);
  png_read_info(reader.png(), reader.info());
}

/// Three bytes a pixel; two where gray values have 16 bits.
void Start(PngReader& reader) {
  png_set_interlace_handling(reader.png());
  if (!IsWideGray(reader)) {
    png_set_expand(reader.png());
    png_set_strip_16(reader.png());
    png_set_gray_to_rgb(reader.png());
    png_set_strip_alpha(reader.png());
  }
  png_read_update_info(reader.png(), reader.info());
}

/// What begins at `bytes`, row by row.
std::vector<png_bytep> Rows(std::uint8_t* bytes, const ImageSize& size, std::size_t bytes_per_pixel) {
  std::vector<png_bytep> rows;
  for (std::size_t y = 0; y < static_cast<std::size_t>(size.height); ++y)
    rows.push_back(bytes + y * static_cast<std::size_t>(size.width) * bytes_per_pixel);
  return rows;
}

/// From [height, width, 2], the high byte first.
void FromWideGray(const std::vector<std::uint8_t>& wide, std::vector<std::uint8_t>& rgb) {
  std::uint8_t* to = rgb.data();
  for (std::size_t i = 0; i < wide.size(); i += 2)
    to = std::fill_n(to, 3, wide[i] == 0 ? wide[i + 1] : std::uint8_t{255});
}

}  // namespace

Image DecodePng(std::span<const std::uint8_t> bytes, const std::string& name) {
  PngReader reader(bytes, name);
  reader.Do(Open);
  Image image = EmptyImage(
      {png_get_image_width(reader.png(), reader.info()), png_get_image_height(reader.png(), reader.info())}, name);
  const bool is_wide_gray = IsWideGray(reader);
  reader.Do(Start);
  const std::size_t bytes_per_pixel = is_wide_gray ? 2 : 3;
  if (png_get_rowbytes(reader.png(), reader.info()) != static_cast<std::size_t>(image.size.width) * bytes_per_pixel)
    throw Error(fmt::format("{}: the PNG image is of an unknown color model", name));
  std::vector<std::uint8_t> wide(is_wide_gray ? image.rgb.size() / 3 * 2 : 0);
  reader.ReadRows(Rows(is_wide_gray ? wide.data() : image.rgb.data(), image.size, bytes_per_pixel));
  reader.Do([](PngReader& ending) { png_read_end(ending.png(), nullptr); });
  if (is_wide_gray) FromWideGray(wide, image.rgb);
  return image;
}

}  // namespace bitplan::decode
