#pragma once

#include <filesystem>
#include <vector>

#include "file_option.h"

namespace bitplan::cli {

class CommandLine;

/// Files beyond those that options name.
struct MoreFiles {
  std::vector<NamedFile> read, written;
};

/// Throws Error where a file that would be written is one that is read, or another one that would be written, however
/// the two are spelled or linked. CommandLine::Parse calls it for what the options name; commands that read or write
/// more call it again with that.
void RefuseOverwriting(const CommandLine& line, const MoreFiles& more = {});

/// Files that --out-dir gets.
MoreFiles FilesIn(const std::filesystem::path& folder, const std::vector<const char*>& names);

}  // namespace bitplan::cli
