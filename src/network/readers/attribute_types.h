#pragma once

#include <torch/csrc/jit/api/module.h>

namespace bitplan::network {

/// Checks that every attribute of a module, and of what it holds, is of the type that its class declares: LibTorch
/// reads any, and then finds the parts of objects by where the declared class has them. Throws Error naming it.
void CheckAttributeTypes(const torch::jit::Module& module);

}  // namespace bitplan::network
