#include "written_inputs.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

namespace bitplan::network {

std::vector<std::size_t> WrittenInputs(const LoweredGraph& lowered) {
  const torch::jit::AliasDb aliases(lowered.graph);
  std::vector<std::size_t> written;
  const auto inputs = lowered.graph->inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i]->type()->isSubtypeOf(*c10::TensorType::get()) && aliases.hasWriters(inputs[i])) written.push_back(i);
  return written;
}

}  // namespace bitplan::network
