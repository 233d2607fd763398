#include "architecture/source_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <utility>

#include "architecture/includes.h"
#include "architecture/type_names.h"

namespace bitplan::architecture {

namespace {

namespace fs = std::filesystem;

std::string TextOf(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> IncludesOf(const fs::path& file) { return FindIncludes(TextOf(file)); }

bool IsSource(const fs::path& file) { return file.extension() == ".cpp" || file.extension() == ".h"; }

bool Holds(const fs::path& folder, const fs::path& file) {
  const fs::path inside = file.lexically_relative(folder);
  return !inside.empty() && *inside.begin() != "..";
}

std::string FirstFolder(const std::string& include) { return include.substr(0, include.find('/')); }

bool IsOfTorch(const std::string& include) {
  static constexpr std::array kFolders = {"torch", "ATen", "c10", "caffe2"};
  return std::find(kFolders.begin(), kFolders.end(), FirstFolder(include)) != kFolders.end();
}

/// A macro in the place of a header.
bool IsMacro(const std::string& include) {
  return include.find_first_of("./") == std::string::npos && std::isupper(static_cast<unsigned char>(include[0])) != 0;
}

}  // namespace

SourceTree::SourceTree(fs::path root, Links links)
    : root_(std::move(root)), links_(std::move(links)), table_(ReadRoomsTable(root_ / "docs/architecture.md")) {
  // Those that were not configured, without LibTorch, are found by their rows.
  for (const RoomsTable::Row& row : table_.rows)
    for (const char* const place : {"src/{}", "{}", "search/{}"})
      if (const fs::path folder = root_ / fmt::format(fmt::runtime(place), row.room);
          fs::exists(folder / "CMakeLists.txt"))
        rooms_[row.room] = folder;
  for (const auto& [room, folder] : links_.folders) rooms_[room] = folder;
}

Complaints SourceTree::CheckLinks() const {
  Complaints complaints;
  const Uses allowed = table_.uses();
  for (const auto& [room, folder] : rooms_)
    if (!allowed.contains(room)) complaints.push_back(fmt::format("room {} has no row in docs/architecture.md", room));
  for (const auto& [room, used] : allowed) {
    if (!rooms_.contains(room))
      complaints.push_back(fmt::format("docs/architecture.md has a row of {}, which is no room", room));
    if (!links_.all.contains(room)) continue;
    for (const std::string& each : links_.all.at(room))
      if ((rooms_.contains(each) || allowed.contains(each)) && !used.contains(each))
        complaints.push_back(
            fmt::format("{} links {}, which its row in docs/architecture.md does not name", room, each));
    for (const std::string& each : used)
      if (!links_.all.at(room).contains(each))
        complaints.push_back(
            fmt::format("{} does not link {}, which its row in docs/architecture.md names", room, each));
  }
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

std::optional<fs::path> SourceTree::Offered(const std::string& include, const std::set<std::string>& by_rooms) const {
  const std::string room = FirstFolder(include);
  if (!by_rooms.contains(room) || !rooms_.contains(room)) return std::nullopt;
  const fs::path file = rooms_.at(room) / "include" / include;
  return fs::exists(file) ? std::optional(file) : std::nullopt;
}

bool SourceTree::IsForeign(const std::string& include) const {
  if (include.find("..") != std::string::npos || IsMacro(include) || FirstFolder(include) == "bitplan") return false;
  const auto room = rooms_.find(FirstFolder(include));
  return room == rooms_.end() || (!fs::exists(room->second / "include" / include) &&
                                  !fs::exists(room->second / fs::path(include).lexically_relative(room->first)));
}

std::string SourceTree::Name(const fs::path& file) const { return file.lexically_relative(root_).string(); }

std::string SourceTree::WrongInclude(const std::string& room, const fs::path& file, const std::string& include,
                                     const std::set<std::string>& seen) const {
  const fs::path& folder = rooms_.at(room);
  const bool is_offered = Holds(folder / "include", file);
  if (include.starts_with("bitplan/") && fs::exists(root_ / "include" / include)) return "";
  if (Offered(include, seen)) {
    const std::string other = FirstFolder(include);
    const auto shown = links_.shown.find(room);
    if (!is_offered || other == room || shown == links_.shown.end() || shown->second.contains(other)) return "";
    return fmt::format("{} includes {}, but {} links {} privately", Name(file), include, room, other);
  }
  const auto is_own = [&](const fs::path& from) {
    const fs::path found = (from / include).lexically_normal();
    return Holds(folder, found) && fs::exists(found);
  };
  if (!is_offered && (is_own(file.parent_path()) || is_own(folder))) return "";
  if (IsForeign(include) && !is_own(file.parent_path()) && !is_own(folder)) return "";
  return fmt::format("{} includes {}, which {} does not see", Name(file), include,
                     is_offered ? "who links " + room : room);
}

Complaints SourceTree::CheckIncludes() const {
  Complaints complaints;
  const Uses allowed = table_.uses();
  for (const auto& [room, folder] : rooms_) {
    std::set<std::string> seen = allowed.contains(room) ? allowed.at(room) : std::set<std::string>{};
    seen.insert(room);
    for (const fs::path& file : SourcesOf(room))
      for (const std::string& include : IncludesOf(file))
        if (std::string wrong = WrongInclude(room, file, include, seen); !wrong.empty())
          complaints.push_back(std::move(wrong));
  }
  for (const fs::path& file : Sources(root_ / "include"))
    for (const std::string& include : IncludesOf(file))
      if (!IsForeign(include) && (!include.starts_with("bitplan/") || !fs::exists(root_ / "include" / include)))
        complaints.push_back(fmt::format("{} includes {}, which is not public", Name(file), include));
  return complaints;
}

Uses SourceTree::RoomsOfHeaders(Complaints& complaints) const {
  Uses rooms;
  for (const fs::path& file : Sources(root_ / "include")) rooms[file.lexically_relative(root_ / "include").string()];
  for (const std::string& header : table_.free_headers) rooms[header].insert("");
  for (const RoomsTable::Row& row : table_.rows)
    for (const std::string& header : row.headers)
      if (rooms.contains(header))
        rooms[header].insert(row.room);
      else
        complaints.push_back(fmt::format("the row of {} names {}, which is not there", row.room, header));
  for (const auto& [header, of] : rooms)
    if (of.size() != 1)
      complaints.push_back(fmt::format(
          "{} is of {} rooms in docs/architecture.md; name it in one row, or among those of none", header, of.size()));
  std::sort(complaints.begin(), complaints.end());
  return rooms;
}

bool SourceTree::SeesTorch(const std::string& room) const {
  std::set<std::string> reached = table_.Reached(room);
  reached.insert(room);
  return std::any_of(reached.begin(), reached.end(), [&](const std::string& each) {
    const auto links = links_.all.find(each);
    return links != links_.all.end() && links->second.contains("torch");
  });
}

std::string SourceTree::TorchIn(const std::string& include, const std::set<std::string>& seen) const {
  if (IsOfTorch(include)) return include;
  const std::optional<fs::path> offered = Offered(include, seen);
  if (!offered) return "";
  for (const std::string& further : IncludesOf(*offered))
    if (IsOfTorch(further)) return fmt::format("{}, which includes {}", include, further);
  return "";
}

Complaints SourceTree::CheckPublicIncludes() const {
  Complaints complaints;
  const Uses of_header = RoomsOfHeaders(complaints);
  for (const auto& [room, folder] : rooms_) {
    std::set<std::string> seen = table_.Reached(room);
    seen.insert({room, ""});
    const bool without_torch = links_.all.contains(room) && !SeesTorch(room);
    for (const fs::path& file : SourcesOf(room))
      for (const std::string& include : IncludesOf(file)) {
        const auto of = of_header.find(include);
        if (of != of_header.end() && of->second.size() == 1 && !seen.contains(*of->second.begin()))
          complaints.push_back(fmt::format("{} includes {}, which is of {}, and {} does not use that", Name(file),
                                           include, *of->second.begin(), room));
        // What a room offers may be for those alone that see LibTorch.
        if (const std::string torch = without_torch && !Holds(folder / "include", file) ? TorchIn(include, seen) : "";
            !torch.empty())
          complaints.push_back(fmt::format("{} includes {}, but {} is without LibTorch", Name(file), torch, room));
      }
  }
  return complaints;
}

Complaints SourceTree::CheckOffers() const {
  std::set<std::string> taken;
  const auto take = [&](const fs::path& file, const std::string& room) {
    for (const std::string& include : IncludesOf(file))
      if (!include.starts_with(room + "/")) taken.insert(include);
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
  Complaints complaints;
  std::set<std::string> above;
  for (const RoomsTable::Row& row : table_.rows) {
    for (const std::string& used : row.uses)
      if (!above.contains(used))
        complaints.push_back(fmt::format("{} uses {}, whose row does not stand above its own", row.room, used));
    above.insert(row.room);
  }
  return complaints;
}

Complaints SourceTree::CheckTypes() const {
  Complaints complaints;
  std::map<std::string, std::string> where;  // of each type's definition
  std::set<std::string> is_public;
  const auto take = [&](const fs::path& file) {
    const TypeNames names = FindTypes(TextOf(file));
    const std::string place = Name(file);
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
  static const std::regex of_public(R"((bitplan::\w+)(?:::\w+)*)");
  for (const auto& [room, folder] : rooms_)
    for (const fs::path& file : SourcesOf(room))
      for (const std::string& name : take(file).defined) {
        std::smatch match;  // what a public type hides, Network::Impl, may stand in any room
        if (name.starts_with(fmt::format("bitplan::{}::", room)) ||
            (std::regex_match(name, match, of_public) && is_public.contains(match[1])))
          continue;
        complaints.push_back(fmt::format("{} stands in {} and no public header declares it: its place is bitplan::{}",
                                         name, Name(file), room));
      }
  return complaints;
}

}  // namespace bitplan::architecture
