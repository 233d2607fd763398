#pragma once

#include <cstddef>
#include <map>
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

}  // namespace bitplan::onnx
