#pragma once

#include <string>
#include <string_view>

namespace bitplan::onnx {

/// A name of the file in a message: on one line, not longer than a line.
std::string Shown(std::string_view name);

/// The same in quotes.
std::string Quoted(std::string_view name);

/// Throws Error where a name is not UTF-8, or has control characters; `what` has it: "a node", "an initializer".
void CheckName(std::string_view what, const std::string& name);

}  // namespace bitplan::onnx
