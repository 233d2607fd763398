#include "file_roles.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "bitplan/error.h"
#include "command_line.h"
#include "data/spec.h"
#include "exports.h"
#include "plan/companion_files.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

namespace {

// What options are files, the same in every command that has them.
constexpr std::array kRead = {"MODEL.pt", "plan.json",   "sensitivity.json", "plan",
                              "problem",  "config",      "layer-config",     "statistics",
                              "energy",   "loss-module", "metric-module",    "from"};
constexpr std::array kReadOrNames = {"on", "target"};  // of what is known by name, or a file
constexpr std::array kReadWithArrays = {"sensitivity.json", "problem"};
constexpr std::array kReadAsData = {"data", "test", "calibration"};
constexpr std::array kWritten = {
    "out",      "packed",          "json", "csv", "svg", "curve-csv", "curve-svg", "plan-out", "weights-out",
    "write-lp", "agent-checkpoint"};

bool IsPositional(const std::string& option) { return option.find('.') != std::string::npos; }

std::string Name(const std::string& option) { return IsPositional(option) ? option : "--" + option; }

/// The file that an option names. Throws Error where it names none.
fs::path FileOf(const CommandLine& line, const char* option) {
  fs::path file = line.Get<std::string>(option);
  if (file.empty()) throw Error(fmt::format("{} '': expected the name of a file or folder", Name(option)));
  return file;
}

bool LooksLikeAFile(const fs::path& path) {
  std::error_code ignored;
  return path.has_extension() || fs::exists(path, ignored);
}

/// FILE or COST=FILE.
fs::path CostFile(const std::string& text) {
  std::error_code ignored;
  const auto equals = text.find('=');
  return equals == std::string::npos || fs::exists(text, ignored) ? text : text.substr(equals + 1);
}

std::vector<NamedFile> ReadBy(const CommandLine& line) {
  std::vector<NamedFile> files;
  for (const char* const option : kRead)
    if (line.Has(option)) files.push_back({Name(option), FileOf(line, option)});
  for (const char* const option : kReadOrNames)
    if (line.Has(option) && LooksLikeAFile(line.Get<std::string>(option)))
      files.push_back({Name(option), FileOf(line, option)});
  for (const char* const option : kReadWithArrays)
    if (line.Has(option))
      for (const fs::path& file : plan::CompanionFiles(line.Get<std::string>(option)))
        files.push_back({Name(option) + "'s arrays", file});
  for (const char* const option : kReadAsData)
    if (line.Has(option))
      for (NamedFile& file : FilesOfData(Name(option), line.Get<std::string>(option))) files.push_back(std::move(file));
  if (line.Has("out-dir")) FileOf(line, "out-dir");
  if (line.Has("costs"))
    for (const std::string& text : line.List("costs")) files.push_back({"--costs", CostFile(text)});
  return files;
}

std::vector<NamedFile> WrittenBy(const CommandLine& line) {
  std::vector<NamedFile> files;
  for (const char* const option : kWritten)
    if (line.Has(option) && FileOf(line, option) != "-") files.push_back({Name(option), FileOf(line, option)});
  for (const std::string option : {"export", "to"})
    for (const std::string& text : line.List(option)) {
      const NamedExport named = ParseExport(option, text);
      files.push_back({fmt::format("--{} {}", option, named.name), named.file});
    }
  return files;
}

/// Devices and pipes are no files that anything could be lost of; folders, that exporters read and write, are.
bool IsSpecial(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

bool AreOneFile(const fs::path& a, const fs::path& b) {
  if (IsSpecial(a) || IsSpecial(b)) return false;
  std::error_code failure;
  if (fs::exists(a, failure) || fs::exists(b, failure)) return fs::equivalent(a, b, failure) && !failure;
  const auto whole = [&](const fs::path& path) { return fs::weakly_canonical(fs::absolute(path, failure), failure); };
  return whole(a) == whole(b) && !failure;
}

void Append(std::vector<NamedFile>& files, const std::vector<NamedFile>& more) {
  files.insert(files.end(), more.begin(), more.end());
}

}  // namespace

MoreFiles FilesIn(const fs::path& folder, const std::vector<const char*>& names) {
  MoreFiles files;
  for (const char* const name : names) files.written.push_back({fmt::format("--out-dir's {}", name), folder / name});
  return files;
}

std::vector<NamedFile> FilesOfData(const std::string& name, const std::string& spec) {
  try {
    const data::Spec parsed = data::ParseSpec(spec);
    std::vector<NamedFile> files{{name, parsed.file}};
    if (parsed.labels) files.push_back({name, *parsed.labels});
    return files;
  } catch (const Error&) {
    return {};  // whoever reads the data says what is wrong
  }
}

void RefuseOverwriting(const CommandLine& line, const MoreFiles& more) {
  std::vector<NamedFile> read = ReadBy(line), written = WrittenBy(line);
  Append(read, more.read);
  Append(written, more.written);
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const NamedFile& input : read)
      if (AreOneFile(written[i].path, input.path))
        throw Error(fmt::format("{} would overwrite {}: {} and {} are one file; name another one", written[i].name,
                                input.name, written[i].path.string(), input.path.string()));
    for (std::size_t k = 0; k < i; ++k)
      if (AreOneFile(written[i].path, written[k].path))
        throw Error(fmt::format("{} would overwrite {}: {} and {} are one file; name two", written[i].name,
                                written[k].name, written[i].path.string(), written[k].path.string()));
  }
}

}  // namespace bitplan::cli
