#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "external_data.h"
#include "onnx/model.h"
#include "protobuf.h"

namespace bitplan::onnx {

/// Makes plain tensors of a message's. Those whose bytes stand there as they are share the message or the mapped file.
class TensorReader {
 public:
  TensorReader(std::shared_ptr<const void> message, const std::filesystem::path& file)
      : message_(std::move(message)), external_(file) {}

  /// Throws Error, not naming the tensor: a type that has no plain bytes, a shape that its values do not fill, values
  /// out of the type's range, external data that cannot be had.
  Tensor Read(const proto::TensorProto& tensor);

  /// What values decoded so far take, beside the message.
  std::size_t decoded_bytes() const { return decoded_bytes_; }

 private:
  void ReadRaw(const proto::TensorProto& tensor, std::span<const std::byte> bytes, std::shared_ptr<const void> storage,
               std::size_t count, Tensor& read);
  void Keep(std::vector<std::byte> bytes, Tensor& read);

  std::shared_ptr<const void> message_;
  ExternalData external_;
  std::size_t decoded_bytes_ = 0;
};

/// Bits of an element in raw_data and external data.
int StoredBits(ElementType type);

/// A tensor of rank 1 of these values.
Tensor TensorOf(const std::vector<float>& values);
Tensor TensorOf(const std::vector<std::int64_t>& values);

/// A number without axes.
template <typename Element>
Tensor ScalarOf(Element value) {
  Tensor tensor = TensorOf(std::vector<Element>{value});
  tensor.shape.clear();
  return tensor;
}

}  // namespace bitplan::onnx
