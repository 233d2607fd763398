#include "readers/exported/refusal.h"

#include <fmt/format.h>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

/// Where the node stands in the model: "layer1.0.conv1", empty where the file does not say. Of the stack of modules,
/// "L__self__,,Net;L__self___conv1,conv1,torch.nn.Conv2d", the innermost.
std::string ModulePath(const Json& node) {
  const auto metadata = node.find("metadata");
  if (metadata == node.end() || !metadata->contains("nn_module_stack")) return "";
  const std::string stack = metadata->at("nn_module_stack").get<std::string>();
  const std::string last = stack.substr(stack.rfind(';') + 1);
  const auto begin = last.find(','), end = last.find(',', begin + 1);
  return begin == std::string::npos || end == std::string::npos ? "" : last.substr(begin + 1, end - begin - 1);
}

}  // namespace

void RefuseNode(const Json& node, const std::string& reason) {
  const std::string target = node.at("target").get<std::string>(), path = ModulePath(node);
  throw Error(
      fmt::format("operator {}{}: {}", target, path.empty() ? "" : fmt::format(" of module '{}'", path), reason));
}

}  // namespace bitplan::network
