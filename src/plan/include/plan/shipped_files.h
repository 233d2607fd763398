#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/json_reader.h"

namespace bitplan::plan {

/// JSON files that came with the library, by the names that they had without their ending (cmake/BitplanShipped.cmake).
using ShippedFiles = std::map<std::string, std::string>;

std::vector<std::string> NamesOf(const ShippedFiles& shipped);

/// The object of a file that came with the library, or of one of the user's own. Throws Error as JsonReader does, and
/// with all names where there is neither; `kind` says what they are: "target".
JsonReader OpenShipped(const ShippedFiles& shipped, const std::string& kind, const std::string& name_or_file,
                       const std::string& schema);

}  // namespace bitplan::plan
