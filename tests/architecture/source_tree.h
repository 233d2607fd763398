#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "architecture/links.h"
#include "architecture/rooms_table.h"

namespace bitplan::architecture {

/// What is wrong, a line each; empty where nothing is.
using Complaints = std::vector<std::string>;

/// The project's sources, or a tree like them, under a root folder; with what its rooms link.
class SourceTree {
 public:
  SourceTree(std::filesystem::path root, Links links);

  /// Folder of each room, by name.
  const std::map<std::string, std::filesystem::path>& rooms() const { return rooms_; }

  /// Rooms whose links and whose row in the table differ.
  Complaints CheckLinks() const;

  /// Includes of what is neither public, nor the room's own, nor offered by a room of its row, nor of a library; and
  /// offered headers that include those of a room which theirs does not pass on to who links it.
  Complaints CheckIncludes() const;

  /// Includes of public headers of a room that one does not use, through others or not, and of LibTorch in rooms that
  /// have no link to it; public headers of no row, or of several.
  Complaints CheckPublicIncludes() const;

  /// Offered headers that no one else includes: no other room, nor tests of one, nor another header that is offered.
  Complaints CheckOffers() const;

  /// Rooms that use others whose rows do not stand above theirs: so that none uses itself, through others or not.
  Complaints CheckOrder() const;

  /// Types that are defined twice under one name, which violates the one-definition rule where both are linked
  /// ([basic.def.odr]); and types of a room that stand outside of its namespace without a declaration in a public
  /// header.
  Complaints CheckTypes() const;

 private:
  std::string Name(const std::filesystem::path& file) const;
  std::vector<std::filesystem::path> Sources(const std::filesystem::path& folder) const;
  std::vector<std::filesystem::path> SourcesOf(const std::string& room) const;
  /// A header that no file of the tree is: of a library, or of the system.
  bool IsForeign(const std::string& include) const;
  std::optional<std::filesystem::path> Offered(const std::string& include, const std::set<std::string>& by_rooms) const;
  std::string WrongInclude(const std::string& room, const std::filesystem::path& file, const std::string& include,
                           const std::set<std::string>& seen) const;
  Uses RoomsOfHeaders(Complaints& complaints) const;
  bool SeesTorch(const std::string& room) const;
  std::string TorchIn(const std::string& include, const std::set<std::string>& seen) const;

  std::filesystem::path root_;
  Links links_;
  RoomsTable table_;
  std::map<std::string, std::filesystem::path> rooms_;
};

}  // namespace bitplan::architecture
