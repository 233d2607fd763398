#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bitplan/export.h"
#include "command_line.h"

namespace bitplan::cli {

/// NAME=FILE of --export.
struct NamedExport {
  std::string name;
  std::filesystem::path file;
};
NamedExport ParseExport(const std::string& text);  ///< throws Error where it is not of that form

/// A file that is to be written, and who writes it.
struct ExportedFile {
  std::shared_ptr<const Exporter> exporter;
  std::filesystem::path file;
};

void AddExportOption(CommandLine& line);
/// In the order of the command line. Throws Error where there is no such exporter, or a file cannot be made.
std::vector<ExportedFile> ReadExportOption(const CommandLine& line);

}  // namespace bitplan::cli
