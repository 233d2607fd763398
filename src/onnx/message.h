#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "protobuf.h"

namespace bitplan::onnx {

/// A file's message, with what is newer than its type. Tensors share it.
struct Message {
  proto::ModelProto model;
  std::size_t bytes = 0;  ///< of the file
  /// Values that functions have for attributes which calls leave out.
  std::map<const proto::FunctionProto*, std::vector<proto::AttributeProto>> defaults;
};

/// The file's message. Throws Error, not naming the file: not a regular file, larger than 2 GiB, damaged, of versions
/// that are not read.
std::shared_ptr<Message> ParseFile(const std::filesystem::path& file);

}  // namespace bitplan::onnx
