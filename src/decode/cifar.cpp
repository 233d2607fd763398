#include "decode/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "bitplan/error.h"

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
std::string Hint(std::size_t size, const RecordFormat& other) {
  if (size % other.size() != 0) return "";
  return fmt::format("; they are a multiple of {}: try {}:", Grouped(other.size()), other.kind);
}

LabeledImages Decode(std::span<const std::uint8_t> bytes, const std::string& file, const RecordFormat& format,
                     const RecordFormat& other) {
  if (bytes.empty()) throw Error(fmt::format("{}: is empty; expected {} records", file, format.name));
  const std::size_t size = format.size(), count = bytes.size() / size;
  if (bytes.size() % size != 0) {
    throw Error(fmt::format("{}: record {} is cut off: {} bytes are not a multiple of {} ({} records){}", file, count,
                            Grouped(bytes.size()), Grouped(size), format.name, Hint(bytes.size(), other)));
  }
  LabeledImages result;
  result.images = {ElementType::UInt8, {static_cast<std::int64_t>(count), 3, 32, 32}, {}};
  result.images.bytes.resize(count * kPixels);
  std::vector<std::int64_t> labels(count);
  for (std::size_t record = 0; record < count; ++record) {
    const auto data = bytes.subspan(record * size, size);
    for (std::size_t i = 0; i < format.labels.size(); ++i) {
      if (data[i] < format.labels[i].classes) continue;
      throw Error(fmt::format("{}: record {} (byte {}): {} {} is not within 0 … {} ({} records)", file, record,
                              Grouped(record * size + i), format.labels[i].name, data[i], format.labels[i].classes - 1,
                              format.name));
    }
    labels[record] = data[format.labels.size() - 1];
    std::ranges::copy(data.last(kPixels), &result.images.bytes[record * kPixels]);
  }
  result.labels = {ElementType::Int64, {static_cast<std::int64_t>(count)}, {}};
  result.labels.bytes.resize(count * sizeof(std::int64_t));
  std::memcpy(result.labels.bytes.data(), labels.data(), result.labels.bytes.size());
  return result;
}

}  // namespace

LabeledImages DecodeCifar10(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Decode(bytes, file, Cifar10(), Cifar100());
}

LabeledImages DecodeCifar100(std::span<const std::uint8_t> bytes, const std::string& file) {
  return Decode(bytes, file, Cifar100(), Cifar10());
}

}  // namespace bitplan::decode
