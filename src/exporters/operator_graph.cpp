#include "bitplan/export.h"
#include "network/lowered_graph.h"
#include "network/probe_operator.h"

namespace bitplan {

OperatorGraph GraphOf(const Network& network) {
  const LoweredGraph& lowered = network.lowered();
  OperatorGraph copy{lowered.graph->copy(), {}, lowered.written_inputs};
  for (torch::jit::Node* node : network::AllNodes(copy.graph->block()))
    if (node->kind() == network::TapSymbol()) copy.sites.emplace_back(lowered.SiteOf(node), node);
  return copy;
}

}  // namespace bitplan
