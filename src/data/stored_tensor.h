#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decode/placed_array.h"

namespace bitplan::data {

/// One tensor of a data file; its first axis counts samples.
class StoredTensor {
 public:
  /// Left where it is. `inner_strides`, of a sample's axes in elements, where a sample's elements are not in their
  /// order; a record of the array has all that they reach.
  StoredTensor(decode::PlacedArray array, at::ScalarType type, std::vector<std::int64_t> shape,
               std::vector<std::int64_t> inner_strides);
  explicit StoredTensor(decode::PlacedArray array);

  /// In memory already, of any form.
  StoredTensor(at::Tensor held, std::string where);

  const std::string& where() const { return where_; }
  at::ScalarType type() const { return type_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t size() const { return shape_.front(); }  ///< samples
  std::vector<std::int64_t> SampleShape() const;        ///< without their axis
  std::int64_t SampleElements() const;

  /// Whether samples are read where they are, in any order, for about what they take.
  bool IsReadInPlace() const { return array_ && array_->source->anywhere(); }

  /// Throws Error, as CheckSamples does, where it can hold no samples.
  void CheckForm() const;

  /// Those samples, as stored, in memory that may be the tensor's own. The numbers should ascend where it is not read
  /// in place. Throws Error as decode::ReadRecords does.
  at::Tensor Read(const std::vector<std::int64_t>& samples) const;
  at::Tensor ReadAll() const;

  /// The same tensor with an axis of length 1 after that of samples.
  StoredTensor WithChannelAxis() const;

 private:
  at::Tensor ToTensor(decode::Array read, std::int64_t samples) const;

  std::string where_;
  at::ScalarType type_;
  std::vector<std::int64_t> shape_;
  std::vector<std::int64_t> inner_strides_;
  std::optional<decode::PlacedArray> array_;
  at::Tensor held_;
};

/// The array's bytes become the tensor's: nothing is copied.
at::Tensor ToTensor(decode::Array array);

}  // namespace bitplan::data
