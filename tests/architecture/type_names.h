#pragma once

#include <set>
#include <string>
#include <vector>

namespace bitplan::architecture {

/// The qualified names of types that a source file defines or declares, those in anonymous namespaces and in functions
/// left out.
struct TypeNames {
  std::vector<std::string> defined;
  std::set<std::string> declared;
};

TypeNames FindTypes(const std::string& source);

}  // namespace bitplan::architecture
