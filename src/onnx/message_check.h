#pragma once

#include <cstddef>
#include <span>

#include "protobuf.h"

namespace bitplan::onnx {

/// Bounds what protobuf makes of the bytes before it does: walks through the messages and their fields without keeping
/// anything. Throws Error: truncated or damaged at a byte that it says, messages nested too deep, or more of them than
/// models have.
void CheckMessages(const google::protobuf::Descriptor& type, std::span<const std::byte> bytes);

}  // namespace bitplan::onnx
