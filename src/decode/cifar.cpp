#include "decode/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <vector>

#include "bitplan/error.h"
#include "tuning.h"

namespace bitplan::decode {
namespace {

constexpr std::size_t kPixels = 3 * 32 * 32;

struct LabelByte {
  std::string_view name;
  int classes;
};

/// A record is its label bytes, the last of which is the label, and the pixels.
struct RecordFormat {
  std::string_view name, kind;
  std::vector<LabelByte> labels;
  std::size_t size() const { return labels.size() + kPixels; }
};

const RecordFormat& Cifar10() {
  static const RecordFormat format{"CIFAR-10", "cifar10", {{"label", 10}}};
  return format;
}

const RecordFormat& Cifar100() {
  static const RecordFormat format{"CIFAR-100", "cifar100", {{"coarse label", 20}, {"fine label", 100}}};
  return format;
}

/// What to say when the file looks like the other format's.
std::string Hint(std::uint64_t size, const RecordFormat& other) {
  if (size % other.size() != 0) return "";
  return fmt::format("; they are a multiple of {}: try {}:", Grouped(other.size()), other.kind);
}

std::uint64_t CountRecords(std::uint64_t bytes, const std::string& file, const RecordFormat& format,
                           const RecordFormat& other) {
  if (bytes == 0) throw Error(fmt::format("{}: is empty; expected {} records", file, format.name));
  const std::size_t size = format.size();
  if (bytes % size != 0) {
    throw Error(fmt::format("{}: record {} is cut off: {} bytes are not a multiple of {} ({} records){}", file,
                            bytes / size, Grouped(bytes), Grouped(size), format.name, Hint(bytes, other)));
  }
  return bytes / size;
}

/// The label of a record that begins with these bytes.
std::int64_t LabelOf(std::span<const std::uint8_t> data, std::uint64_t record, const std::string& file,
                     const RecordFormat& format) {
  for (std::size_t i = 0; i < format.labels.size(); ++i) {
    if (data[i] < format.labels[i].classes) continue;
    throw Error(fmt::format("{}: record {} (byte {}): {} {} is not within 0 … {} ({} records)", file, record,
                            Grouped(record * format.size() + i), format.labels[i].name, data[i],
                            format.labels[i].classes - 1, format.name));
  }
  return data[format.labels.size() - 1];
}

/// Read through in pieces: a few bytes of every record are no quicker by themselves.
Array ReadLabels(const ByteSource& source, std::uint64_t count, const std::string& file, const RecordFormat& format) {
  std::vector<std::int64_t> labels(count);
  std::vector<std::uint8_t> piece;
  for (std::uint64_t begin = 0; begin < count; begin += tuning::kCifarRecords) {
    const std::uint64_t records = std::min(tuning::kCifarRecords, count - begin);
    piece.resize(records * format.size());
    source.Read(begin * format.size(), piece);
    for (std::uint64_t i = 0; i < records; ++i)
      labels[begin + i] = LabelOf(std::span(piece).subspan(i * format.size()), begin + i, file, format);
  }
  Array array{ElementType::Int64, {static_cast<std::int64_t>(count)}, {}};
  array.bytes.resize(count * sizeof(std::int64_t));
  std::memcpy(array.bytes.data(), labels.data(), array.bytes.size());
  return array;
}

PlacedImages Place(std::shared_ptr<const ByteSource> source, const std::string& file, const RecordFormat& format,
                   const RecordFormat& other) {
  const std::uint64_t count = CountRecords(source->size(), file, format, other);
  Array labels = ReadLabels(*source, count, file, format);
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(count), 3, 32, 32};
  return {{std::move(source), file, ElementType::UInt8, std::endian::native, false, shape, format.labels.size(),
           format.size()},
          std::move(labels)};
}

LabeledImages Read(PlacedImages placed) { return {ReadWhole(placed.images), std::move(placed.labels)}; }

}  // namespace

PlacedImages PlaceCifar10(std::shared_ptr<const ByteSource> source, const std::string& file) {
  return Place(std::move(source), file, Cifar10(), Cifar100());
}

PlacedImages PlaceCifar100(std::shared_ptr<const ByteSource> source, const std::string& file) {
  return Place(std::move(source), file, Cifar100(), Cifar10());
}

LabeledImages DecodeCifar10(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Read(PlaceCifar10(std::make_shared<MemoryBytes>(bytes, file), file));
}

LabeledImages DecodeCifar100(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Read(PlaceCifar100(std::make_shared<MemoryBytes>(bytes, file), file));
}

}  // namespace bitplan::decode
