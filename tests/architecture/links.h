#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "architecture/rooms_table.h"

namespace bitplan::architecture {

/// What the targets of rooms link, as CMake wrote it (cmake/BitplanArchitecture.cmake): the room of bitplan_NAME is
/// NAME, that of bitplan_tool cli; other targets are called as they are.
struct Links {
  Uses all;                                              ///< one entry for each room that was configured
  Uses shown;                                            ///< of these what a room passes on to who links it
  std::map<std::string, std::filesystem::path> folders;  ///< by room
};

Links ReadLinks(const std::filesystem::path& file);

}  // namespace bitplan::architecture
