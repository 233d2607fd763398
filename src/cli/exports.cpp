#include "exports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bitplan/error.h"
#include "output_path.h"

namespace bitplan::cli {

NamedExport ParseExport(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Error(fmt::format("--export {}: expected NAME=FILE, where NAME is one of: {}", text.empty() ? "''" : text,
                            fmt::join(ExporterNames(), ", ")));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void AddExportOption(CommandLine& line) {
  std::string names;
  for (const auto& exporter : Exporters())
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", exporter->name(), exporter->description());
  line.Add({{"export", Texts("NAME=FILE"), "write a file by the exporter of that name: " + names}});
}

std::vector<ExportedFile> ReadExportOption(const CommandLine& line) {
  std::vector<ExportedFile> files;
  for (const std::string& text : line.List("export")) {
    NamedExport named = ParseExport(text);
    try {
      files.push_back({FindExporter(named.name), std::move(named.file)});
    } catch (const Error& error) {
      throw Error(fmt::format("--export {}: {}", text, error.what()));
    }
    RequireWritable(files.back().file);
  }
  return files;
}

}  // namespace bitplan::cli
