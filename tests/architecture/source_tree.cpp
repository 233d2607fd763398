#include "architecture/source_tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <stdexcept>

#include "architecture/type_names.h"

namespace bitplan::architecture {

namespace {

namespace fs = std::filesystem;

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::smatch> Matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

/// The arguments of a CMake command whose first one is `name`; empty where it is not called.
std::string Arguments(const std::string& text, const std::string& command, const std::string& name) {
  const std::size_t begin = text.find(command + "(" + name);
  if (begin == std::string::npos) return {};
  int depth = 0;
  std::size_t end = begin;
  do {
    end = text.find_first_of("()", end + 1);
    depth += end == std::string::npos ? -1 : text[end] == '(' ? 1 : -1;
  } while (depth > 0);
  return text.substr(begin, end - begin);
}

bool IsSource(const fs::path& file) { return file.extension() == ".cpp" || file.extension() == ".h"; }

bool Holds(const fs::path& folder, const fs::path& file) {
  const fs::path inside = file.lexically_relative(folder);
  return !inside.empty() && *inside.begin() != "..";
}

}  // namespace

SourceTree::SourceTree(fs::path root) : root_(std::move(root)) {
  static const std::regex call(R"((?:bitplan_room|add_executable)\((?:bitplan_)?(\w+))");
  for (const char* top : {"src", "hessian", "search"}) {
    if (!fs::exists(root_ / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / top)) {
      if (entry.path().filename() != "CMakeLists.txt") continue;
      const std::string text = TextOf(entry.path());
      std::smatch match;
      if (!std::regex_search(text, match, call)) continue;
      rooms_[match[1] == "tool" ? "cli" : match[1].str()] = entry.path().parent_path();
    }
  }
}

Uses SourceTree::Allowed() const {
  const std::string page = TextOf(root_ / "docs/architecture.md");
  const std::size_t begin = page.find("## What may use what");
  if (begin == std::string::npos) throw std::runtime_error("docs/architecture.md has no section 'What may use what'");
  const std::string section = page.substr(begin, page.find("\n## ", begin + 1) - begin);
  static const std::regex row(R"(\n\| `(\w+)` \|[^\n|]*\|([^\n|]*)\|)"), word(R"(\w+)");
  Uses uses;
  for (const std::smatch& match : Matches(section, row)) {
    std::set<std::string>& of_room = uses[match[1]];
    const std::string list = match[2];
    for (const std::smatch& each : Matches(list, word)) of_room.insert(each.str());
  }
  return uses;
}

Uses SourceTree::Links(bool only_public) const {
  static const std::regex link(R"([ \n]bitplan_(\w+))");
  Uses uses;
  for (const auto& [room, folder] : rooms_) {
    const std::string text = TextOf(folder / "CMakeLists.txt");
    std::string arguments = room == "cli" ? Arguments(text, "target_link_libraries", "bitplan_tool")
                                          : Arguments(text, "bitplan_room", room);
    if (only_public) arguments.resize(std::min(arguments.size(), arguments.find("PRIVATE")));
    std::set<std::string>& of_room = uses[room];
    for (const std::smatch& match : Matches(arguments, link)) of_room.insert(match[1]);
  }
  return uses;
}

Complaints SourceTree::CheckLinks() const {
  Complaints complaints;
  const Uses allowed = Allowed(), links = Links();
  const auto compare = [&](const Uses& these, const Uses& others, const char* message) {
    for (const auto& [room, used] : these) {
      const auto found = others.find(room);
      for (const std::string& each : used)
        if (found == others.end() || !found->second.contains(each))
          complaints.push_back(fmt::format(fmt::runtime(message), room, each));
    }
  };
  for (const auto& [room, folder] : rooms_)
    if (!allowed.contains(room)) complaints.push_back(fmt::format("room {} has no row in docs/architecture.md", room));
  for (const auto& [room, used] : allowed)
    if (!rooms_.contains(room))
      complaints.push_back(fmt::format("docs/architecture.md has a row of {}, which is no room", room));
  compare(links, allowed, "{} links {}, which its row in docs/architecture.md does not name");
  compare(allowed, links, "{} does not link {}, which its row in docs/architecture.md names");
  return complaints;
}

std::vector<fs::path> SourceTree::Sources(const fs::path& folder) const {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && IsSource(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> SourceTree::SourcesOf(const std::string& room) const {
  const fs::path& folder = rooms_.at(room);
  std::vector<fs::path> files = Sources(folder);
  std::erase_if(files, [&](const fs::path& file) {  // those of rooms inside of this one
    return std::any_of(rooms_.begin(), rooms_.end(), [&](const auto& other) {
      return other.first != room && Holds(folder, other.second) && Holds(other.second, file);
    });
  });
  return files;
}

bool SourceTree::IsOffered(const std::string& include, const std::set<std::string>& to_rooms) const {
  const std::string room = include.substr(0, include.find('/'));
  return to_rooms.contains(room) && rooms_.contains(room) && fs::exists(rooms_.at(room) / "include" / include);
}

Complaints SourceTree::CheckIncludes() const {
  static const std::regex line("\\n#include \"([^\"]+)\"");
  Complaints complaints;
  Uses allowed = Allowed(), shown = Links(true);
  for (const auto& [room, folder] : rooms_) {
    std::set<std::string> seen = allowed[room];
    seen.insert(room);
    for (const fs::path& file : SourcesOf(room)) {
      const std::string text = "\n" + TextOf(file);
      const bool is_offered = Holds(folder / "include", file);
      for (const std::smatch& match : Matches(text, line)) {
        const std::string include = match[1];
        if (include.starts_with("bitplan/") && fs::exists(root_ / "include" / include)) continue;
        if (IsOffered(include, seen)) {
          const std::string other = include.substr(0, include.find('/'));
          if (is_offered && other != room && !shown[room].contains(other))
            complaints.push_back(fmt::format("{} includes {}, but {} links {} privately",
                                             file.lexically_relative(root_).string(), include, room, other));
          continue;
        }
        const auto is_own = [&](const fs::path& from) {
          const fs::path found = (from / include).lexically_normal();
          return Holds(folder, found) && fs::exists(found);
        };
        if (!is_offered && (is_own(file.parent_path()) || is_own(folder))) continue;
        complaints.push_back(fmt::format("{} includes {}, which {} does not see",
                                         file.lexically_relative(root_).string(), include,
                                         is_offered ? "who links " + room : room));
      }
    }
  }
  for (const fs::path& file : Sources(root_ / "include")) {
    const std::string text = "\n" + TextOf(file);
    for (const std::smatch& match : Matches(text, line))
      if (!match[1].str().starts_with("bitplan/") || !fs::exists(root_ / "include" / match[1].str()))
        complaints.push_back(fmt::format("{} includes {}, which is not public", file.lexically_relative(root_).string(),
                                         match[1].str()));
  }
  return complaints;
}

Complaints SourceTree::CheckOffers() const {
  static const std::regex line("\\n#include \"([^\"]+)\"");
  std::set<std::string> taken;
  const auto take = [&](const fs::path& file, const std::string& room) {
    const std::string text = "\n" + TextOf(file);
    for (const std::smatch& match : Matches(text, line))
      if (!match[1].str().starts_with(room + "/")) taken.insert(match[1]);
  };
  for (const auto& [room, folder] : rooms_)
    for (const fs::path& file : SourcesOf(room)) take(file, Holds(folder / "include", file) ? "" : room);
  if (fs::exists(root_ / "tests"))
    for (const fs::path& file : Sources(root_ / "tests"))
      take(file, file.lexically_relative(root_ / "tests").begin()->string());
  Complaints complaints;
  for (const auto& [room, folder] : rooms_) {
    if (!fs::exists(folder / "include")) continue;
    for (const fs::path& file : Sources(folder / "include"))
      if (const std::string name = file.lexically_relative(folder / "include").string(); !taken.contains(name))
        complaints.push_back(fmt::format("{} offers {}, which no one else includes", room, name));
  }
  return complaints;
}

Complaints SourceTree::CheckOrder() const {
  const Uses allowed = Allowed();
  Complaints complaints;
  for (const auto& [start, used] : allowed) {
    std::set<std::string> reached;
    const std::function<void(const std::string&)> reach = [&](const std::string& room) {
      const auto found = allowed.find(room);
      if (found == allowed.end()) return;
      for (const std::string& each : found->second)
        if (reached.insert(each).second) reach(each);
    };
    reach(start);
    if (reached.contains(start)) complaints.push_back(fmt::format("{} uses itself, by way of others", start));
  }
  return complaints;
}

Complaints SourceTree::CheckTypes() const {
  Complaints complaints;
  std::map<std::string, std::string> where;  // of each type's definition
  std::set<std::string> is_public;
  const auto take = [&](const fs::path& file) {
    const TypeNames names = FindTypes(TextOf(file));
    const std::string place = file.lexically_relative(root_).string();
    for (const std::string& name : names.defined) {
      const auto [found, fresh] = where.try_emplace(name, place);
      if (!fresh) complaints.push_back(fmt::format("{} is defined in {} and in {}", name, found->second, place));
    }
    return names;
  };
  for (const fs::path& file : Sources(root_ / "include")) {
    const TypeNames names = take(file);
    is_public.insert(names.declared.begin(), names.declared.end());
    is_public.insert(names.defined.begin(), names.defined.end());
  }
  static const std::regex in_bitplan("bitplan::\\w+");
  for (const auto& [room, folder] : rooms_)
    for (const fs::path& file : SourcesOf(room))
      for (const std::string& name : take(file).defined)
        if (std::regex_match(name, in_bitplan) && !is_public.contains(name))
          complaints.push_back(fmt::format("{} stands in {} and no public header declares it: its place is bitplan::{}",
                                           name, file.lexically_relative(root_).string(), room));
  return complaints;
}

}  // namespace bitplan::architecture
