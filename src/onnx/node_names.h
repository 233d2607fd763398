#pragma once

#include <string>
#include <unordered_map>

#include "protobuf.h"

namespace bitplan::onnx {

/// Gives the nodes of a model names that are unique in it, in the order in which they stand.
class NodeNames {
 public:
  /// What the node is called in its own graph: "OP_INDEX" where the file has no name.
  static std::string OwnName(const proto::NodeProto& node, int index);

  std::string Unique(const std::string& name);

 private:
  std::unordered_map<std::string, int> taken_;  // and how many were asked for
};

}  // namespace bitplan::onnx
