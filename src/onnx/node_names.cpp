#include "node_names.h"

#include <fmt/format.h>

namespace bitplan::onnx {

std::string NodeNames::OwnName(const proto::NodeProto& node, int index) {
  return node.name().empty() ? fmt::format("{}_{}", node.op_type(), index) : node.name();
}

std::string NodeNames::Unique(const std::string& name) {
  std::string unique = name;
  while (!taken_.emplace(unique, 1).second) unique = fmt::format("{}_{}", name, ++taken_[name]);
  return unique;
}

}  // namespace bitplan::onnx
