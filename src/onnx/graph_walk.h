#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "protobuf.h"

namespace bitplan::onnx {

/// Of the graph and those inside its nodes, in order.
void ForEachNode(proto::GraphProto& graph, const std::function<void(proto::NodeProto&)>& visit);

/// What nodes read, and what graphs return.
std::unordered_set<std::string> ValuesRead(const proto::GraphProto& graph);

void RenameInputs(proto::NodeProto& node, const std::string& from, const std::string& to);

/// Takes out of the graph, not of those inside, the nodes all of whose outputs are dead, the initializers that are and
/// what is said of values that are. Whether there were any nodes.
bool DropDead(proto::GraphProto& graph, const std::function<bool(const std::string&)>& is_dead);

}  // namespace bitplan::onnx
