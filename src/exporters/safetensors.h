#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/files.h"

namespace bitplan::exporters {

/// Gives `sink` a safetensors file of these tensors, in their order, with texts beside them. Throws Error naming a
/// tensor of a type that such files have not.
void WriteSafetensors(const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                      const std::map<std::string, std::string>& metadata, const ByteSink& sink);

}  // namespace bitplan::exporters
