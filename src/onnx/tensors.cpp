#include "tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

#include "bitplan/error.h"
#include "tuning.h"

namespace bitplan::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

bool IsSigned(ElementType type) { return type == ElementType::Int4 || type == ElementType::Int2; }

std::size_t PackedBytes(std::size_t count, int bits) {
  return bits >= 8 ? count * static_cast<std::size_t>(bits / 8)
                   : count / static_cast<std::size_t>(8 / bits) + (count % static_cast<std::size_t>(8 / bits) != 0);
}

void CheckType(ElementType type) {
  if (type == ElementType::String) throw Error("it holds strings; numbers are read alone");
  if (BytesOf(type) == 0) throw Error(fmt::format("its elements are of {}", NameOf(type)));
}

/// Of the shape, checked so that no count of bytes overflows.
std::size_t ElementsOf(const proto::TensorProto& tensor) {
  if (tensor.dims_size() > tuning::kMostAxes)
    throw Error(fmt::format("it has {} axes; at most {} are read", tensor.dims_size(), tuning::kMostAxes));
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 16;  // the largest element's bytes
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : tensor.dims()) {
    if (size < 0) throw Error(fmt::format("its shape [{}] has a negative size", fmt::join(tensor.dims(), ", ")));
    empty = empty || size == 0;
  }
  if (empty) return 0;
  for (const std::int64_t size : tensor.dims()) {
    if (static_cast<std::uint64_t>(size) > kMost / count)
      throw Error(fmt::format("its shape [{}] is larger than memory", fmt::join(tensor.dims(), ", ")));
    count *= static_cast<std::uint64_t>(size);
  }
  return count;
}

[[noreturn]] void ThrowCount(const proto::TensorProto& tensor, std::uint64_t has, std::uint64_t takes, const char* of) {
  throw Error(fmt::format("its shape [{}] takes {} {}; it has {}", fmt::join(tensor.dims(), ", "), takes, of, has));
}

std::vector<std::byte> Unpacked(std::span<const std::byte> packed, std::size_t count, ElementType type) {
  const int bits = StoredBits(type);
  const auto in_byte = static_cast<std::size_t>(8 / bits);
  const int sign = IsSigned(type) ? 1 << (bits - 1) : 0;
  std::vector<std::byte> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const int shift = static_cast<int>(i % in_byte) * bits;
    const int code = std::to_integer<int>(packed[i / in_byte]) >> shift & ((1 << bits) - 1);
    values[i] = static_cast<std::byte>((code ^ sign) - sign);
  }
  return values;
}

template <typename Element>
void Append(std::vector<std::byte>& bytes, Element element) {
  const auto* begin = reinterpret_cast<const std::byte*>(&element);
  bytes.insert(bytes.end(), begin, begin + sizeof(Element));
}

/// The field's values as elements of a narrower type, or the same.
template <typename Element, typename Field>
std::vector<std::byte> Converted(const Field& field) {
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(field.size()) * sizeof(Element));
  for (const auto value : field) {
    if constexpr (std::numeric_limits<Element>::is_integer) {
      if (!std::in_range<Element>(value)) throw Error(fmt::format("its value {} is out of its type's range", value));
    }
    Append(bytes, static_cast<Element>(value));
  }
  return bytes;
}

std::vector<std::byte> Booleans(const google::protobuf::RepeatedField<std::int32_t>& field) {
  std::vector<std::byte> bytes;
  for (const std::int32_t value : field) {
    if (value != 0 && value != 1) throw Error(fmt::format("its value {} is no bool", value));
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

/// What the field that the type's values stand in holds, as raw_data would.
std::vector<std::byte> TypedValues(const proto::TensorProto& tensor, ElementType type) {
  switch (type) {
    case ElementType::Float:
    case ElementType::Complex64:
      return Converted<float>(tensor.float_data());
    case ElementType::Double:
    case ElementType::Complex128:
      return Converted<double>(tensor.double_data());
    case ElementType::Int64:
      return Converted<std::int64_t>(tensor.int64_data());
    case ElementType::Uint64:
      return Converted<std::uint64_t>(tensor.uint64_data());
    case ElementType::Uint32:
      return Converted<std::uint32_t>(tensor.uint64_data());
    case ElementType::Int32:
      return Converted<std::int32_t>(tensor.int32_data());
    case ElementType::Int16:
      return Converted<std::int16_t>(tensor.int32_data());
    case ElementType::Int8:
      return Converted<std::int8_t>(tensor.int32_data());
    case ElementType::Uint16:
    case ElementType::Float16:
    case ElementType::Bfloat16:
      return Converted<std::uint16_t>(tensor.int32_data());
    case ElementType::Bool:
      return Booleans(tensor.int32_data());
    default:
      return Converted<std::uint8_t>(tensor.int32_data());  // several to a byte, or a code of 8 bits
  }
}

bool HasTypedValues(const proto::TensorProto& tensor) {
  return tensor.float_data_size() + tensor.int32_data_size() + tensor.int64_data_size() + tensor.double_data_size() +
             tensor.uint64_data_size() + tensor.string_data_size() >
         0;
}

template <typename Element>
Tensor PlainTensor(ElementType type, const std::vector<Element>& values) {
  const auto kept = std::make_shared<const std::vector<Element>>(values);
  Tensor tensor;
  tensor.type = type;
  tensor.shape = {static_cast<std::int64_t>(values.size())};
  tensor.bytes = std::as_bytes(std::span(*kept));
  tensor.storage = kept;
  return tensor;
}

}  // namespace

int StoredBits(ElementType type) {
  switch (type) {
    case ElementType::Uint4:
    case ElementType::Int4:
    case ElementType::Float4E2M1:
      return 4;
    case ElementType::Uint2:
    case ElementType::Int2:
      return 2;
    default:
      return static_cast<int>(BytesOf(type)) * 8;
  }
}

Tensor TensorReader::Read(const proto::TensorProto& tensor) {
  Tensor read;
  read.name = tensor.name();
  read.type = static_cast<ElementType>(tensor.data_type());
  CheckType(read.type);
  if (tensor.has_segment()) throw Error("it is one segment of a tensor");
  const std::size_t count = ElementsOf(tensor);
  read.shape.assign(tensor.dims().begin(), tensor.dims().end());
  if (tensor.data_location() == proto::TensorProto::EXTERNAL) {
    if (tensor.has_raw_data() || HasTypedValues(tensor)) throw Error("it has values both external and in the file");
    auto range = external_.RangeOf(tensor, PackedBytes(count, StoredBits(read.type)));
    ReadRaw(tensor, range.bytes, std::move(range.file), count, read);
  } else if (tensor.has_raw_data() && (!HasTypedValues(tensor) || !tensor.raw_data().empty())) {
    if (HasTypedValues(tensor)) throw Error("it has values both raw and typed");
    ReadRaw(tensor, std::as_bytes(std::span(tensor.raw_data())), message_, count, read);
  } else {
    auto values = TypedValues(tensor, read.type);
    const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(values));
    decoded_bytes_ += kept->size();
    ReadRaw(tensor, *kept, kept, count, read);
  }
  return read;
}

void TensorReader::ReadRaw(const proto::TensorProto& tensor, std::span<const std::byte> bytes,
                           std::shared_ptr<const void> storage, std::size_t count, Tensor& read) {
  const int bits = StoredBits(read.type);
  if (bytes.size() != PackedBytes(count, bits)) ThrowCount(tensor, bytes.size(), PackedBytes(count, bits), "bytes");
  if (bits < 8) return Keep(Unpacked(bytes, count, read.type), read);
  read.bytes = bytes;
  read.storage = std::move(storage);
}

void TensorReader::Keep(std::vector<std::byte> bytes, Tensor& read) {
  const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  decoded_bytes_ += kept->size();
  read.bytes = *kept;
  read.storage = kept;
}

Tensor TensorOf(const std::vector<float>& values) { return PlainTensor(ElementType::Float, values); }

Tensor TensorOf(const std::vector<std::int64_t>& values) { return PlainTensor(ElementType::Int64, values); }

}  // namespace bitplan::onnx
