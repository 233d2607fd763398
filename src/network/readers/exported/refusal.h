#pragma once

#include <string>

#include "readers/exported/program_json.h"

namespace bitplan::network {

/// Throws the Error about a node of a program: its operator, the module that calls it, and why it is not read.
[[noreturn]] void RefuseNode(const Json& node, const std::string& reason);

}  // namespace bitplan::network
