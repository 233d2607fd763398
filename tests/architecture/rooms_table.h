#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitplan::architecture {

/// Rooms by name, with the rooms that each uses.
using Uses = std::map<std::string, std::set<std::string>>;

/// The table below "## What may use what" in docs/architecture.md.
struct RoomsTable {
  struct Row {
    std::string room;
    std::set<std::string> uses;     ///< rooms
    std::set<std::string> headers;  ///< its public ones, as "bitplan/plan.h"
  };
  std::vector<Row> rows;
  std::set<std::string> free_headers;  ///< public ones of no room, which all may include

  Uses uses() const;

  /// The rooms that one uses, through others or not.
  std::set<std::string> Reached(const std::string& room) const;
};

RoomsTable ReadRoomsTable(const std::filesystem::path& page);

}  // namespace bitplan::architecture
