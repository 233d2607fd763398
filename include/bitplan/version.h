#pragma once

#include <string_view>

namespace bitplan {

/// The library's version, e.g. "0.1.0"; part of every file that is written.
std::string_view Version();

}  // namespace bitplan
