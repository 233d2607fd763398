#include "network/derivatives.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/probe_operator.h"
#include "network/torch_error.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The layer whose result the value is made of, the nearest one; empty: none.
std::string LayerBefore(const Network& network, const Value* value) {
  std::set<const Value*> seen;
  for (std::vector<const Value*> next{value}; !next.empty();) {
    std::vector<const Value*> further;
    for (const Value* each : next) {
      if (!seen.insert(each).second) continue;
      if (each->node()->kind() == TapSymbol()) {
        const Site& site = network.sites()[static_cast<std::size_t>(network.lowered().SiteOf(each->node()))];
        if (site.kind == Site::Kind::LayerOutput) return site.name.substr(0, site.name.rfind('.'));
      }
      for (const Value* input : each->node()->inputs()) further.push_back(input);
    }
    next = std::move(further);
  }
  return "";
}

/// The first operator that writes in place to a tensor; empty: none does.
std::string WriteInPlace(const Network& network) {
  for (const Node* node : AllNodes(network.lowered().graph->block())) {
    const auto* const schema = node->maybeSchema();
    if (!schema || node->inputs().empty() || !Subject(node)->type()->isSubtypeOf(*c10::TensorType::get())) continue;
    if (std::none_of(schema->arguments().begin(), schema->arguments().end(), [](const c10::Argument& argument) {
          return argument.alias_info() && argument.alias_info()->isWrite();
        }))
      continue;
    const std::string layer = LayerBefore(network, Subject(node));
    const std::string where = layer.empty() ? "before all layers" : fmt::format("after layer '{}'", layer);
    return fmt::format("'{}' {}", OperatorName(node), where);
  }
  return "";
}

}  // namespace

void Differentiate(const Network& network, const std::function<void()>& derivatives) {
  try {
    derivatives();
  } catch (const c10::Error& error) {
    if (!IsOfModel(error)) throw;
    const std::string writer = WriteInPlace(network);
    if (writer.empty()) throw;
    RefuseNetwork(
        error,
        fmt::format("the network has no derivatives: {} writes in place to a tensor that may share memory with others, "
                    "which cannot be followed ({}); spell it with a plain operator, or write to a clone()",
                    writer, TorchReason(error)));
  }
}

}  // namespace bitplan::network
