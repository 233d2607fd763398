#include "exports.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "output_path.h"
#include "report.h"
#include "tell.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

namespace {

/// As RequireWritable, of a folder that is to be made.
void RequireNewFolder(const fs::path& folder) {
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  if (!fs::exists(named)) {
    RequireWritable(named);
  } else if (!fs::is_directory(named) || !fs::is_empty(named)) {
    throw Error(fmt::format("{} is there already; name a folder that is not, or is empty", named.string()));
  }
}

std::int64_t SizeOf(const fs::path& path) {
  if (!fs::is_directory(path)) return static_cast<std::int64_t>(fs::file_size(path));
  std::int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
  return bytes;
}

/// Gives --for and --from to the exporters that have a use for them.
void TakeOptions(const CommandLine& line, std::vector<ExportedFile>& files) {
  const auto used = [&](const char* option, auto take) {
    if (!line.Has(option)) return;
    const auto value = line.Get<std::string>(option);
    bool taken = false;
    for (ExportedFile& file : files) taken = take(file, value) || taken;
    if (taken) return;
    std::vector<std::string_view> names;
    for (const ExportedFile& file : files) names.push_back(file.exporter->name());
    throw Error(fmt::format("--{} {}: {} no use for it; leave it out", option, value,
                            names.empty()
                                ? "without an exporter there is"
                                : fmt::format("{} ha{}", fmt::join(names, ", "), names.size() > 1 ? "ve" : "s")));
  };
  used("for", [](ExportedFile& file, const std::string& flavor) {
    const std::vector<std::string> flavors = file.exporter->flavors();
    if (flavors.empty()) return false;
    if (std::find(flavors.begin(), flavors.end(), flavor) == flavors.end())
      throw Error(fmt::format("--for {}: {} is written for one of: {}", flavor, file.exporter->name(),
                              fmt::join(flavors, ", ")));
    file.options.flavor = flavor;
    return true;
  });
  used("from", [](ExportedFile& file, const std::string& from) {
    if (file.Traits().from.empty()) return false;
    if (!fs::exists(from)) throw Error(fmt::format("--from {}: there is no such file or folder", from));
    file.options.from = from;
    return true;
  });
}

}  // namespace

NamedExport ParseExport(const std::string& option, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Error(fmt::format("--{} {}: expected NAME=FILE, where NAME is one of: {}", option, text.empty() ? "''" : text,
                            fmt::join(ExporterNames(), ", ")));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void AddExportOptions(CommandLine& line, const char* option) {
  std::string names, flavors, patched;
  for (const auto& exporter : Exporters()) {
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", exporter->name(), exporter->description());
    if (!exporter->flavors().empty())
      flavors += fmt::format("; {}: {}", exporter->name(), fmt::join(exporter->flavors(), ", "));
    if (const std::string from = exporter->Traits("").from; !from.empty())
      patched += fmt::format("; {}: {}", exporter->name(), from);
  }
  line.Add(
      {{option, WrittenExports(),
        fmt::format("write a file, or folder, by the exporter of that name (bitplan export --list has what each "
                    "carries and refuses): {}",
                    names)},
       {"for", Text("FLAVOR"),
        fmt::format("the tool that is to load it, of exporters that write for several, by default the first{}",
                    flavors)},
       {"from", ReadFile(), fmt::format("the file or folder that is patched, of exporters that do{}", patched)}});
}

std::vector<ExportedFile> ReadExportOptions(const CommandLine& line, const char* option) {
  std::vector<ExportedFile> files;
  for (const std::string& text : line.List(option)) {
    NamedExport named = ParseExport(option, text);
    try {
      files.push_back({FindExporter(named.name), std::move(named.file), {}});
    } catch (const Error& error) {
      throw Error(fmt::format("--{} {}: {}", option, text, error.what()));
    }
  }
  TakeOptions(line, files);
  for (const ExportedFile& file : files)
    if (file.Traits().folder)
      RequireNewFolder(file.file);
    else
      RequireWritable(file.file);
  return files;
}

void CheckExports(const std::vector<ExportedFile>& files, const Network& network, const Plan& plan) {
  for (const ExportedFile& file : files) RequireCarried(network, plan, *file.exporter, file.options);
}

nlohmann::ordered_json ExportsJson(const std::vector<ExportedFile>& files) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ExportedFile& file : files) {
    nlohmann::ordered_json entry = {{"name", file.exporter->name()}};
    if (!fs::is_directory(file.file)) entry["sha256"] = FileSha256(file.file);
    entry["size_bytes"] = SizeOf(file.file);
    json.push_back(entry);
  }
  return json;
}

void PrintExports(const std::vector<ExportedFile>& files) {
  for (const ExportedFile& file : files)
    fmt::print("{}: {} bytes, {}\n", file.file.string(), WithCommas(SizeOf(file.file)), file.exporter->name());
}

void TellRemarks(const std::vector<ExportedFile>& files, const Network& network, const Plan& plan) {
  for (const ExportedFile& file : files)
    for (const std::string& remark : file.exporter->Remarks(network, plan, file.options))
      Tell(fmt::format("{}: {}", file.file.string(), remark));
}

}  // namespace bitplan::cli
