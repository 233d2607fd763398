#include "decode/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>

#include "bitplan/error.h"
#include "gzip.h"
#include "layout.h"

namespace bitplan::decode {
namespace {

constexpr std::size_t kIdxMagic = 4, kLength = 4, kLongestHeader = kIdxMagic + 255 * kLength;

ElementType TypeOf(std::uint8_t code, const std::string& file) {
  switch (code) {
    case 0x08:
      return ElementType::UInt8;
    case 0x09:
      return ElementType::Int8;
    case 0x0b:
      return ElementType::Int16;
    case 0x0c:
      return ElementType::Int32;
    case 0x0d:
      return ElementType::Float32;
    case 0x0e:
      return ElementType::Float64;
    default:
      throw Error(
          fmt::format("{}: byte 2: element type 0x{:02x} is none of IDX's 0x08 (uint8), 0x09 (int8), "
                      "0x0b (int16), 0x0c (int32), 0x0d (float32), 0x0e (float64)",
                      file, code));
  }
}

struct Header {
  ElementType type;
  std::vector<std::int64_t> shape;
  std::size_t size;  ///< of the header itself, in bytes
};

Header ReadHeader(std::span<const std::uint8_t> bytes, const std::string& file) {
  if (bytes.size() < kIdxMagic || bytes[0] != 0 || bytes[1] != 0) {
    throw Error(fmt::format(
        "{}: is not an IDX file: it does not begin with two zero bytes, an element type and a number of axes", file));
  }
  Header header{TypeOf(bytes[2], file), std::vector<std::int64_t>(bytes[3]), kIdxMagic + kLength * bytes[3]};
  if (header.shape.empty()) throw Error(fmt::format("{}: byte 3: an IDX file has 1 … 255 axes, not 0", file));
  if (bytes.size() < header.size) {
    throw Error(fmt::format("{}: the IDX header of {} axes takes {} bytes, and the file ends after {}", file,
                            header.shape.size(), header.size, bytes.size()));
  }
  for (std::size_t axis = 0; axis < header.shape.size(); ++axis) {
    header.shape[axis] =
        static_cast<std::int64_t>(ReadUnsigned(bytes.subspan(kIdxMagic + kLength * axis, kLength), std::endian::big));
  }
  return header;
}

/// The file's plain bytes: `header` and what it announces, and one byte more where there is more.
std::vector<std::uint8_t> Inflate(std::span<const std::uint8_t> bytes, const std::string& file) {
  const Header header = ReadHeader(Gunzip(bytes, file, kLongestHeader), file);
  const std::size_t size = ByteCount(header.type, header.shape, file);
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  return Gunzip(bytes, file, size < kMost - header.size ? size + header.size + 1 : kMost);
}

/// The header of what the source holds, plain.
Header ReadHeader(const ByteSource& source, const std::string& file) {
  std::vector<std::uint8_t> begin(std::min<std::uint64_t>(source.size(), kLongestHeader));
  source.Read(0, begin);
  return ReadHeader(begin, file);
}

void CheckSize(const Header& header, std::uint64_t found, const std::string& file) {
  const std::size_t expected = ByteCount(header.type, header.shape, file);
  const std::string announced = fmt::format("{} of {} takes {} bytes after the header of {}", ShapeText(header.shape),
                                            ElementName(header.type), Grouped(expected), header.size);
  if (found < expected) {
    const std::size_t record = expected / static_cast<std::size_t>(header.shape.front());
    throw Error(
        fmt::format("{}: record {} is cut off: {}, and {} are there", file, found / record, announced, Grouped(found)));
  }
  if (found > expected) throw Error(fmt::format("{}: {}, and more are there", file, announced));
}

}  // namespace

bool IsGzip(const ByteSource& source) {
  std::vector<std::uint8_t> begin(std::min<std::uint64_t>(source.size(), 2));
  source.Read(0, begin);
  return IsGzip(begin);
}

std::size_t InflatedIdxBytes(const ByteSource& source, const std::string& file) {
  // As much as a header may take even where it hardly shrinks.
  std::vector<std::uint8_t> begin(std::min<std::uint64_t>(source.size(), 4 * kLongestHeader));
  source.Read(0, begin);
  const Header header = ReadHeader(Gunzip(begin, file, kLongestHeader), file);
  return ByteCount(header.type, header.shape, file);
}

PlacedArray PlaceIdx(std::shared_ptr<const ByteSource> source, const std::string& file) {
  if (source->size() == 0) throw Error(file + ": is empty; expected an IDX file");
  const Header header = ReadHeader(*source, file);
  CheckSize(header, source->size() - header.size, file);
  PlacedArray array{std::move(source), file, header.type, std::endian::big, false, header.shape, header.size, 0};
  array.apart = ByteCount(array.type, {array.shape.begin() + 1, array.shape.end()}, file);
  return array;
}

Array DecodeIdx(std::vector<std::uint8_t> bytes, const std::string& file) {
  if (IsGzip(std::span<const std::uint8_t>(bytes))) bytes = Inflate(bytes, file);
  return ReadWhole(PlaceIdx(std::make_shared<MemoryBytes>(bytes, file), file));
}

}  // namespace bitplan::decode
