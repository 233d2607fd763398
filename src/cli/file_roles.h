#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bitplan::cli {

class CommandLine;

/// A file of a command, and what the user knows it by: an option, or an option and what lies beside it.
struct NamedFile {
  std::string name;
  std::filesystem::path path;
};

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

/// The files of data, called `name`.
std::vector<NamedFile> FilesOfData(const std::string& name, const std::string& spec);

}  // namespace bitplan::cli
