#pragma once

#include <ATen/core/ivalue.h>

#include <string>

namespace bitplan {

/// The tensor among a network's outputs that `which` names: an index, a name (named tuples and dicts), or a path of them
/// ("0.logits"); empty picks the only one. Throws Error listing the outputs there are.
at::Tensor SelectOutput(const c10::IValue& output, const std::string& which);

}  // namespace bitplan
