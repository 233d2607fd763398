#include "file_option.h"

#include <fmt/format.h>

#include <system_error>

#include "bitplan/error.h"
#include "data/spec.h"
#include "exports.h"
#include "plan/companion_files.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

namespace {

using OneText = po::typed_value<std::string>;
using SeveralTexts = po::typed_value<std::vector<std::string>>;

/// Throws Error where the option names none.
fs::path FileOf(const std::string& name, const std::string& given) {
  if (given.empty()) throw Error(fmt::format("{} '': expected the name of a file or folder", name));
  return given;
}

std::vector<NamedFile> TheFile(const std::string& name, const std::string& given) {
  return {{name, FileOf(name, given)}};
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

template <typename Value>
Value* Files(FileUse use, FileOption::FilesFunction files, const char* shown) {
  auto* const value = new FileValue<Value>(use, std::move(files), nullptr);  // NOLINT: as po::value does
  value->value_name(shown);
  return value;
}

}  // namespace

std::vector<NamedFile> FileOption::Files(const std::string& name, const boost::any& value) const {
  if (const auto* const text = boost::any_cast<std::string>(&value)) return files_(name, *text);
  std::vector<NamedFile> files;
  for (const std::string& text : boost::any_cast<const std::vector<std::string>&>(value))
    for (NamedFile& file : files_(name, text)) files.push_back(std::move(file));
  return files;
}

const po::value_semantic* ReadFile() { return Files<OneText>(FileUse::Read, TheFile, "FILE"); }

const po::value_semantic* ReadFileAndArrays() {
  return Files<OneText>(
      FileUse::Read,
      [](const std::string& name, const std::string& given) {
        std::vector<NamedFile> files = TheFile(name, given);
        for (const fs::path& file : plan::CompanionFiles(given)) files.push_back({name + "'s arrays", file});
        return files;
      },
      "FILE");
}

const po::value_semantic* ReadData() { return Files<OneText>(FileUse::Read, FilesOfData, "KIND:FILE"); }

const po::value_semantic* CostFiles() {
  return Files<SeveralTexts>(
      FileUse::Read,
      [](const std::string& name, const std::string& given) { return std::vector<NamedFile>{{name, CostFile(given)}}; },
      "FILE");
}

CheckedText* ReadFileOr(const std::vector<std::string>& names) {
  auto* const value = new FileValue<CheckedText>(  // NOLINT: likewise
      FileUse::Read,
      [](const std::string& name, const std::string& given) {
        return LooksLikeAFile(given) ? TheFile(name, given) : std::vector<NamedFile>{};
      },
      NameOrFile(names));
  value->value_name("NAME|FILE");
  return value;
}

const po::value_semantic* WrittenFile() {
  return Files<OneText>(
      FileUse::Written,
      [](const std::string& name, const std::string& given) {
        return given == "-" ? std::vector<NamedFile>{} : TheFile(name, given);
      },
      "FILE");
}

const po::value_semantic* WrittenExports() {
  return Files<SeveralTexts>(
      FileUse::Written,
      [](const std::string& name, const std::string& given) {
        const NamedExport named = ParseExport(name.substr(name.find_first_not_of('-')), given);
        return std::vector<NamedFile>{{fmt::format("{} {}", name, named.name), named.file}};
      },
      "NAME=FILE");
}

const po::value_semantic* WrittenFolder() {
  return Files<OneText>(
      FileUse::Written,
      [](const std::string& name, const std::string& given) {
        FileOf(name, given);
        return std::vector<NamedFile>{};
      },
      "FOLDER");
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

}  // namespace bitplan::cli
