#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/quantize.h"
#include "onnx/quantized_values.h"
#include "onnx_flavor.h"

namespace bitplan::exporters {

/// A weight's codes with its axes in the order of `axes`, in types that the flavor has; the weight's format has a
/// scale. `what` names it in messages, `name` in the file. Throws Error where the flavor has no type for it.
onnx::CodedTensor CodesOf(const QuantizedTensor& weight, const std::vector<std::int64_t>& axes, const std::string& what,
                          const std::string& name, const OnnxFlavor& flavor);

/// Values as they are: float16 and bfloat16 in that type, others in float32.
onnx::NewTensor ValuesOf(const at::Tensor& values, const std::string& name);

/// Elements in row-major order as ONNX has them.
std::vector<std::byte> BytesOf(const at::Tensor& values);

}  // namespace bitplan::exporters
