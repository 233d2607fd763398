#include "architecture/rooms_table.h"

#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <stdexcept>

namespace bitplan::architecture {

namespace {

std::set<std::string> Words(const std::string& list, const char* form) {
  static const std::regex word(R"(\w+)");
  std::set<std::string> words;
  for (std::sregex_iterator found(list.begin(), list.end(), word), none; found != none; ++found)
    words.insert(fmt::format(fmt::runtime(form), found->str()));
  return words;
}

}  // namespace

RoomsTable ReadRoomsTable(const std::filesystem::path& page) {
  std::ifstream stream(page);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const std::size_t begin = text.find("## What may use what");
  if (begin == std::string::npos)
    throw std::runtime_error(fmt::format("{} has no section 'What may use what'", page.string()));
  const std::string section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
  static const std::regex row(R"(\n\| `(\w+)` \|[^\n|]*\|([^\n|]*)\|([^\n|]*)\|)"),
      free_headers(R"(\nPublic headers of no room: ([^\n.]*)\.)");
  RoomsTable table;
  for (std::sregex_iterator found(section.begin(), section.end(), row), none; found != none; ++found)
    table.rows.push_back({(*found)[1], Words((*found)[2], "{}"), Words((*found)[3], "bitplan/{}.h")});
  if (std::smatch match; std::regex_search(section, match, free_headers))
    table.free_headers = Words(match[1], "bitplan/{}.h");
  return table;
}

Uses RoomsTable::uses() const {
  Uses uses;
  for (const Row& row : rows) uses[row.room] = row.uses;
  return uses;
}

std::set<std::string> RoomsTable::Reached(const std::string& start) const {
  const Uses all = uses();
  std::set<std::string> reached;
  const std::function<void(const std::string&)> reach = [&](const std::string& room) {
    const auto found = all.find(room);
    if (found == all.end()) return;
    for (const std::string& each : found->second)
      if (reached.insert(each).second) reach(each);
  };
  reach(start);
  return reached;
}

}  // namespace bitplan::architecture
