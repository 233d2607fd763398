#pragma once

// The one place that names protobuf's headers.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

namespace bitplan::onnx {

namespace proto = ::onnx;

}  // namespace bitplan::onnx
