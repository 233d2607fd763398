#pragma once

#include <map>
#include <string>

namespace bitplan::target {

/// The files of targets/ by their names, as they were when the library was built.
const std::map<std::string, std::string>& ShippedTargets();

}  // namespace bitplan::target
