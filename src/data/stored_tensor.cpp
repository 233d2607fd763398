#include "stored_tensor.h"

#include <ATen/Functions.h>

#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "decode/array.h"

namespace bitplan::data {

namespace {

at::ScalarType ScalarTypeOf(decode::ElementType type) {
  switch (type) {
    case decode::ElementType::Bool:
      return at::kBool;
    case decode::ElementType::UInt8:
      return at::kByte;
    case decode::ElementType::Int8:
      return at::kChar;
    case decode::ElementType::UInt16:
      return at::kUInt16;
    case decode::ElementType::Int16:
      return at::kShort;
    case decode::ElementType::UInt32:
      return at::kUInt32;
    case decode::ElementType::Int32:
      return at::kInt;
    case decode::ElementType::Int64:
      return at::kLong;
    case decode::ElementType::Float16:
      return at::kHalf;
    case decode::ElementType::BFloat16:
      return at::kBFloat16;
    case decode::ElementType::Float32:
      return at::kFloat;
    case decode::ElementType::Float64:
      return at::kDouble;
  }
  throw Error("an array of unknown element type");
}

std::int64_t Product(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

at::Tensor OwnBytes(std::vector<std::uint8_t> bytes, at::ScalarType type, const std::vector<std::int64_t>& shape,
                    const std::vector<std::int64_t>& strides) {
  if (bytes.empty()) return at::empty(shape, type);
  const auto owned = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  return at::from_blob(owned->data(), shape, strides, [owned](void*) {}, at::TensorOptions(type));
}

/// Of a row-major tensor.
std::vector<std::int64_t> Strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

}  // namespace

at::Tensor ToTensor(decode::Array array) {
  return OwnBytes(std::move(array.bytes), ScalarTypeOf(array.type), array.shape, Strides(array.shape));
}

StoredTensor::StoredTensor(decode::PlacedArray array, at::ScalarType type, std::vector<std::int64_t> shape,
                           std::vector<std::int64_t> inner_strides)
    : where_(array.where),
      type_(type),
      shape_(std::move(shape)),
      inner_strides_(std::move(inner_strides)),
      array_(std::move(array)) {}

StoredTensor::StoredTensor(decode::PlacedArray array)
    : where_(array.where), type_(ScalarTypeOf(array.type)), shape_(array.shape), array_(std::move(array)) {}

StoredTensor::StoredTensor(at::Tensor held, std::string where)
    : where_(std::move(where)), type_(held.scalar_type()), shape_(held.sizes().vec()), held_(std::move(held)) {}

std::vector<std::int64_t> StoredTensor::SampleShape() const { return {shape_.begin() + 1, shape_.end()}; }

std::int64_t StoredTensor::SampleElements() const { return Product(SampleShape()); }

void StoredTensor::CheckForm() const { array_ ? CheckSampleShape(shape_, where_) : CheckDense({held_, where_}); }

at::Tensor StoredTensor::ToTensor(decode::Array read, std::int64_t samples) const {
  std::vector<std::int64_t> shape = SampleShape(), strides = Strides(shape);
  std::int64_t record = samples == 0 ? 0 : static_cast<std::int64_t>(read.bytes.size()) / samples;
  record /= static_cast<std::int64_t>(decode::ElementSize(read.type));
  if (!inner_strides_.empty()) strides = inner_strides_;
  shape.insert(shape.begin(), samples);
  strides.insert(strides.begin(), record);
  return OwnBytes(std::move(read.bytes), type_, shape, strides);
}

at::Tensor StoredTensor::Read(const std::vector<std::int64_t>& samples) const {
  if (array_) return ToTensor(decode::ReadRecords(*array_, samples), static_cast<std::int64_t>(samples.size()));
  const std::int64_t first = samples.front(), count = static_cast<std::int64_t>(samples.size());
  bool is_range = true;
  for (std::int64_t i = 0; i < count; ++i) is_range = is_range && samples[static_cast<std::size_t>(i)] == first + i;
  return is_range ? held_.narrow(0, first, count) : held_.index_select(0, at::tensor(samples, at::kLong));
}

at::Tensor StoredTensor::ReadAll() const { return array_ ? ToTensor(decode::ReadWhole(*array_), size()) : held_; }

StoredTensor StoredTensor::WithChannelAxis() const {
  StoredTensor with = *this;
  with.shape_.insert(with.shape_.begin() + 1, 1);
  if (held_.defined()) with.held_ = held_.unsqueeze(1);
  return with;
}

}  // namespace bitplan::data
