#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>

#include "bitplan/error.h"
#include "image_format.h"
#include "tuning.h"

// clang-format off: each needs what is before it
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

namespace bitplan::decode {

namespace {

/// libjpeg, which reports errors by a function that must not return: they end the step that meets them. No step may
/// have anything to be destroyed.
class JpegReader {
 public:
  using Step = void (*)(JpegReader& reader);

  JpegReader(std::span<const std::uint8_t> bytes, const std::string& name) : bytes_(bytes), name_(name) {
    decoder_.err = jpeg_std_error(&errors_);
    decoder_.client_data = this;
    errors_.error_exit = [](j_common_ptr decoder) { Of(decoder).Leave(); };
    errors_.emit_message = Note;
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr decoder) { Of(decoder).CheckScans(); };
  }
  ~JpegReader() { jpeg_destroy_decompress(&decoder_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  jpeg_decompress_struct& decoder() { return decoder_; }
  std::span<const std::uint8_t> bytes() const { return bytes_; }
  jpeg_progress_mgr& progress() { return progress_; }

  /// Throws Error with libjpeg's words.
  void Do(Step step) {
    if (!Try(step)) throw Error(fmt::format("{}: the JPEG image cannot be decoded: {}", name_, message_.data()));
  }

  void ReadRow(std::uint8_t* row) {
    row_ = row;
    Do([](JpegReader& reader) { jpeg_read_scanlines(&reader.decoder_, &reader.row_, 1); });
  }

 private:
  static JpegReader& Of(j_common_ptr decoder) { return *static_cast<JpegReader*>(decoder->client_data); }

  /// Of the warnings, which leave an image that others show, one means that there is not all of it.
  static void Note(j_common_ptr decoder, int level) {
    if (level < 0 && decoder->err->msg_code == JWRN_JPEG_EOF) Of(decoder).Leave();
  }

  bool Try(Step step) {
    if (setjmp(escape_) != 0) return false;
    step(*this);
    return true;
  }

  [[noreturn]] void Leave() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&decoder_), message_.data());
    std::longjmp(escape_, 1);
  }

  /// Each scan of a progressive image goes over all pixels, and takes a few bytes.
  void CheckScans() {
    if (decoder_.input_scan_number <= tuning::kJpegScans) return;
    std::snprintf(message_.data(), message_.size(), "more than %d scans", tuning::kJpegScans);
    std::longjmp(escape_, 1);
  }

  std::span<const std::uint8_t> bytes_;
  const std::string& name_;
  jpeg_decompress_struct decoder_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf escape_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
  JSAMPROW row_ = nullptr;
};

void Open(JpegReader& reader) {
  jpeg_decompress_struct& decoder = reader.decoder();
  jpeg_create_decompress(&decoder);
  decoder.progress = &reader.progress();
  decoder.mem->max_memory_to_use = tuning::kJpegBytes;
  jpeg_mem_src(&decoder, reader.bytes().data(), static_cast<unsigned long>(reader.bytes().size()));
  jpeg_read_header(&decoder, TRUE);
}

void Start(JpegReader& reader) {
  jpeg_decompress_struct& decoder = reader.decoder();
  if (decoder.num_components == 1) decoder.out_color_space = JCS_GRAYSCALE;
  if (decoder.num_components == 3) decoder.out_color_space = JCS_RGB;
  if (decoder.num_components == 4) decoder.out_color_space = JCS_CMYK;
  jpeg_start_decompress(&decoder);
}

std::uint8_t ProductOver255(int a, int b) {
  const int product = a * b + 128;
  return static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
}

void FromGray(const std::vector<std::uint8_t>& row, std::uint8_t* rgb) {
  for (const std::uint8_t value : row) rgb = std::fill_n(rgb, 3, value);
}

/// The inks stand inverted, as Adobe's programs write them.
void FromCmyk(const std::vector<std::uint8_t>& row, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < row.size(); i += 4) {
    const int paper = row[i + 3];  // 255 without black
    for (std::size_t ink = 0; ink < 3; ++ink)
      *rgb++ = static_cast<std::uint8_t>(std::max(0, paper - ProductOver255(255 - row[i + ink], paper)));
  }
}

}  // namespace

Image DecodeJpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  JpegReader reader(bytes, name);
  reader.Do(Open);
  const jpeg_decompress_struct& decoder = reader.decoder();
  Image image = EmptyImage({decoder.image_width, decoder.image_height}, name);
  const int components = decoder.num_components;
  if (components == 2 || components > 4)
    throw Error(fmt::format("{}: a JPEG image of {} colors; it may be gray, in RGB or in CMYK", name, components));
  reader.Do(Start);
  const std::size_t width = decoder.image_width;
  std::vector<std::uint8_t> row(components == 3 ? 0 : width * static_cast<std::size_t>(components));
  for (std::size_t y = 0; y < decoder.image_height; ++y) {
    std::uint8_t* rgb = image.rgb.data() + y * width * 3;
    reader.ReadRow(components == 3 ? rgb : row.data());
    if (components == 1) FromGray(row, rgb);
    if (components == 4) FromCmyk(row, rgb);
  }
  return image;
}

}  // namespace bitplan::decode
