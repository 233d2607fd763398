#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "checked_text.h"

namespace bitplan::cli {

namespace po = boost::program_options;

/// A file of a command, and what the user knows it by: an option, or an option and what lies beside it.
struct NamedFile {
  std::string name;
  std::filesystem::path path;
};

enum class FileUse { Read, Written };

/// The value of an option that names files: which, and whether they are read or written. By it files are protected from
/// being overwritten; a command line takes no option of files whose value says neither.
class FileOption {
 public:
  /// The files of what was given for the option called `name` in messages. Throws Error where it names none.
  using FilesFunction = std::function<std::vector<NamedFile>(const std::string& name, const std::string& given)>;

  FileOption(FileUse use, FilesFunction files) : use_(use), files_(std::move(files)) {}
  virtual ~FileOption() = default;
  FileUse use() const { return use_; }
  std::vector<NamedFile> Files(const std::string& name, const boost::any& value) const;

 private:
  FileUse use_;
  FilesFunction files_;
};

/// `Value`, the value of an option, with the files that it names.
template <typename Value>
class FileValue : public Value, public FileOption {
 public:
  template <typename... Arguments>
  FileValue(FileUse use, FilesFunction files, Arguments&&... arguments)
      : Value(std::forward<Arguments>(arguments)...), FileOption(use, std::move(files)) {}
};

// Values of options, owned by the rows that they are made for, as those of option_row.h.

const po::value_semantic* ReadFile();                            ///< FILE
const po::value_semantic* ReadFileAndArrays();                   ///< FILE, and the arrays beside it
const po::value_semantic* ReadData();                            ///< KIND:FILE, as of --data
const po::value_semantic* CostFiles();                           ///< FILE or COST=FILE, may be given several times
CheckedText* ReadFileOr(const std::vector<std::string>& names);  ///< one of these names, or a file that exists
const po::value_semantic* WrittenFile();                         ///< FILE; - is none
const po::value_semantic* WrittenExports();                      ///< NAME=FILE, may be given several times
const po::value_semantic* WrittenFolder();                       ///< FOLDER; commands know the files in it

/// The files of data, called `name`.
std::vector<NamedFile> FilesOfData(const std::string& name, const std::string& spec);

}  // namespace bitplan::cli
