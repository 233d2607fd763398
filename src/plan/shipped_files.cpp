#include "plan/shipped_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "bitplan/error.h"

namespace bitplan::plan {

std::vector<std::string> NamesOf(const ShippedFiles& shipped) {
  std::vector<std::string> names;
  for (const auto& [name, text] : shipped) names.push_back(name);
  return names;
}

JsonReader OpenShipped(const ShippedFiles& shipped, const std::string& kind, const std::string& name_or_file,
                       const std::string& schema) {
  if (const auto found = shipped.find(name_or_file); found != shipped.end())
    return JsonReader::FromText(found->second, kind + " " + name_or_file, schema);
  if (!std::filesystem::exists(name_or_file))
    throw Error(
        fmt::format("{} '{}': neither a file nor one of {}", kind, name_or_file, fmt::join(NamesOf(shipped), ", ")));
  return JsonReader::Open(name_or_file, schema);
}

}  // namespace bitplan::plan
