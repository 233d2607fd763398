#pragma once

#include "onnx/model.h"
#include "protobuf.h"

namespace bitplan::onnx {

/// Throws Error naming the value: it is no tensor, or holds strings, or a dimension is negative but -1.
ValueInfo ReadValueInfo(const proto::ValueInfoProto& info);

}  // namespace bitplan::onnx
