#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "mapped_file.h"
#include "protobuf.h"

namespace bitplan::onnx {

/// The files beside the model that hold tensors, each mapped once.
class ExternalData {
 public:
  explicit ExternalData(const std::filesystem::path& model);

  struct Range {
    std::span<const std::byte> bytes;
    std::shared_ptr<const MappedFile> file;
  };

  /// The `size` bytes that an external tensor consists of. Throws Error: the location is not a file in the model's
  /// folder, however links are followed, or has no such bytes; or the length that the tensor says is not `size`.
  Range RangeOf(const proto::TensorProto& tensor, std::size_t size);

 private:
  std::shared_ptr<const MappedFile> Open(const std::string& location);

  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

}  // namespace bitplan::onnx
