#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "protobuf.h"

namespace bitplan::onnx {

using Nodes = google::protobuf::RepeatedPtrField<proto::NodeProto>;

/// Puts the nodes, and those of graphs inside them, into the form that operator set `to` has for what set `from` says;
/// `to` is 13 at least. `new_name` gives names that no value has. Nodes that stay keep their address. Throws Error
/// naming a node that has no such form.
void RaiseNodes(Nodes& nodes, std::int64_t from, std::int64_t to,
                const std::function<std::string(const std::string&)>& new_name);

/// The version of ONNX's representation that came with an operator set; 6 of those before 12.
std::int64_t IrVersionOf(std::int64_t opset);

}  // namespace bitplan::onnx
