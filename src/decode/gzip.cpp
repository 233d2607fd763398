#include "gzip.h"

#define ZLIB_CONST  // zlib's switch that makes its input pointer const
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>

#include "bitplan/error.h"
#include "decode/array.h"
#include "tuning.h"

namespace bitplan::decode {
namespace {

struct EndInflate {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
using Inflater = std::unique_ptr<z_stream, EndInflate>;

Inflater MakeInflater() {
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), 15 + 16) != Z_OK) throw std::bad_alloc();  // largest window, gzip wrapper only
  return Inflater(stream.release());
}

}  // namespace

bool IsGzip(std::span<const std::uint8_t> bytes) { return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

std::vector<std::uint8_t> Gunzip(std::span<const std::uint8_t> bytes, const std::string& file, std::size_t limit) {
  const Inflater stream = MakeInflater();
  std::vector<std::uint8_t> chunk(std::min(tuning::kGzipChunk, limit)), result;
  std::size_t taken = 0;
  while (result.size() < limit) {
    const std::size_t in = std::min(tuning::kGzipChunk, bytes.size() - taken),
                      out = std::min(chunk.size(), limit - result.size());
    stream->next_in = bytes.data() + taken;
    stream->avail_in = static_cast<uInt>(in);
    stream->next_out = chunk.data();
    stream->avail_out = static_cast<uInt>(out);
    const int status = inflate(stream.get(), Z_NO_FLUSH);
    taken += in - stream->avail_in;
    result.insert(result.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(out - stream->avail_out));
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_STREAM_END) {
      if (taken == bytes.size()) break;
      if (!IsGzip(bytes.subspan(taken))) {
        throw Error(fmt::format("{}: {} bytes follow the end of the gzip data at byte {}", file,
                                Grouped(bytes.size() - taken), Grouped(taken)));
      }
      inflateReset(stream.get());
    } else if (status == Z_BUF_ERROR || (status == Z_OK && taken == bytes.size() && stream->avail_out > 0)) {
      throw Error(fmt::format("{}: the gzip data is cut off after {} bytes", file, Grouped(bytes.size())));
    } else if (status != Z_OK) {
      throw Error(fmt::format("{}: the gzip data is damaged near byte {}: {}", file, Grouped(taken),
                              stream->msg != nullptr ? stream->msg : "unexpected data"));
    }
  }
  return result;
}

}  // namespace bitplan::decode
