#pragma once

#include <string>

#include "onnx/model.h"
#include "protobuf.h"

namespace bitplan::onnx {

/// Throws Error, not naming the node, where an operator that is no function of the model is of another domain than
/// ONNX's own, of a quantized model unless those are asked for, or about sequences, optionals or strings.
void CheckOperator(const proto::NodeProto& node, Operators operators);

/// Whether "" or "ai.onnx".
bool IsDefaultDomain(const std::string& domain);

}  // namespace bitplan::onnx
