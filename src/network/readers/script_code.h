#pragma once

#include <string_view>

namespace bitplan::network {

/// Checks the source of a TorchScript file, for LibTorch, whose parser and compiler go down as deep as it nests:
/// brackets, operators within operators and blocks within blocks are bounded. Refused is code that runs as soon as the
/// file is read (__setstate__). Throws Error, which does not name the file.
void CheckScriptCode(std::string_view code);

}  // namespace bitplan::network
