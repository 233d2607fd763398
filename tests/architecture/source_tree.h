#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitplan::architecture {

/// What is wrong, a line each; empty where nothing is.
using Complaints = std::vector<std::string>;

/// Rooms by name, with the rooms that each uses: of the table below "## What may use what" in docs/architecture.md.
using Uses = std::map<std::string, std::set<std::string>>;

/// The project's sources, or a tree like them, under a root folder.
class SourceTree {
 public:
  explicit SourceTree(std::filesystem::path root);

  /// Folder of each room, by name: what bitplan_room or bitplan_tool names in a CMakeLists.txt.
  const std::map<std::string, std::filesystem::path>& rooms() const { return rooms_; }

  Uses Allowed() const;
  Uses Links(bool only_public = false) const;

  /// Rooms whose links and whose row in the table differ.
  Complaints CheckLinks() const;

  /// Includes of what is neither public, nor the room's own, nor offered by a room of its row; and offered headers that
  /// include those of a room which theirs does not pass on to who links it.
  Complaints CheckIncludes() const;

  /// Offered headers that no one else includes: no other room, nor tests of one, nor another header that is offered.
  Complaints CheckOffers() const;

  /// Rooms that use themselves, through others or not.
  Complaints CheckOrder() const;

  /// Types that are defined twice under one name, which violates the one-definition rule where both are linked
  /// ([basic.def.odr]); and types of a room that stand in namespace bitplan without a declaration in a public header.
  Complaints CheckTypes() const;

 private:
  std::vector<std::filesystem::path> Sources(const std::filesystem::path& folder) const;
  std::vector<std::filesystem::path> SourcesOf(const std::string& room) const;
  bool IsOffered(const std::string& include, const std::set<std::string>& to_rooms) const;

  std::filesystem::path root_;
  std::map<std::string, std::filesystem::path> rooms_;
};

}  // namespace bitplan::architecture
