#include "architecture/links.h"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace bitplan::architecture {

namespace {

std::string NameOf(const std::string& target) {
  constexpr std::string_view kPrefix = "bitplan_";
  if (target == "bitplan_tool") return "cli";
  return target.starts_with(kPrefix) ? target.substr(kPrefix.size()) : target;
}

}  // namespace

Links ReadLinks(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(fmt::format("cannot read {}; CMake writes it", file.string()));
  Links links;
  for (std::string target, how, what; stream >> target >> how && std::getline(stream >> std::ws, what);) {
    const std::string room = NameOf(target);
    if (how == "in") {
      links.folders[room] = what;
      links.all[room];
      links.shown[room];
    } else {
      (how == "shows" ? links.shown : links.all)[room].insert(NameOf(what));
    }
  }
  return links;
}

}  // namespace bitplan::architecture
