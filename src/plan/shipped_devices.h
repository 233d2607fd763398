#pragma once

#include <map>
#include <string>

namespace bitplan::plan {

/// The files of devices/ by their names, as they were when the library was built.
const std::map<std::string, std::string>& ShippedDevices();

}  // namespace bitplan::plan
