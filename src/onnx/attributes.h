#pragma once

#include <string>
#include <vector>

#include "onnx/model.h"
#include "protobuf.h"
#include "tensors.h"

namespace bitplan::onnx {

/// The value of an attribute that is no graph and no reference to another. Throws Error naming it: no type, or one that
/// has no value here.
AttributeValue ReadAttribute(const proto::AttributeProto& attribute, TensorReader& tensors);

/// What a Constant node's attribute `name` holds, in whichever form. Throws Error: strings, a sparse tensor, another
/// attribute.
Tensor ReadConstant(const std::string& name, const proto::AttributeProto& attribute, TensorReader& tensors);

/// What the value takes in memory beside the file's message, about.
std::size_t SizeOf(const proto::AttributeProto& attribute);

/// The texts of "['', 'layer1', 'layer1.0']", as torch.export writes the modules that an operator is in.
std::vector<std::string> ModulesOf(const proto::NodeProto& node);

}  // namespace bitplan::onnx
