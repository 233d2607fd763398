#pragma once

#include <string>
#include <vector>

namespace bitplan::architecture {

/// What a source file includes, between quotes or angle brackets, however the line is spelled; of one that names it by
/// a macro the macro.
std::vector<std::string> FindIncludes(const std::string& source);

}  // namespace bitplan::architecture
