#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bitplan/export.h"
#include "command_line.h"

namespace bitplan::cli {

/// NAME=FILE of --export or --to.
struct NamedExport {
  std::string name;
  std::filesystem::path file;
};
/// `option`: export, to. Throws Error where `text` is not of that form.
NamedExport ParseExport(const std::string& option, const std::string& text);

/// A file or folder that is to be written, by whom and how.
struct ExportedFile {
  std::shared_ptr<const Exporter> exporter;
  std::filesystem::path file;
  ExportOptions options;

  ExporterTraits Traits() const { return exporter->Traits(options.flavor); }
};

/// `option`, that names exporters, with --for and --from.
void AddExportOptions(CommandLine& line, const char* option);

/// In the order of the command line. Throws Error where there is no such exporter, a file cannot be made, or no
/// exporter has a use for --for or --from.
std::vector<ExportedFile> ReadExportOptions(const CommandLine& line, const char* option);

/// Refuses what exporters have no place for before anything is computed. Throws Error.
void CheckExports(const std::vector<ExportedFile>& files, const Network& network, const Plan& plan);

/// What was written, with what one must know to load it: remarks on stderr.
nlohmann::ordered_json ExportsJson(const std::vector<ExportedFile>& files);
void PrintExports(const std::vector<ExportedFile>& files);
void TellRemarks(const std::vector<ExportedFile>& files, const Network& network, const Plan& plan);

}  // namespace bitplan::cli
