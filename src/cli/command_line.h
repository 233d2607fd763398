#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "option_row.h"

namespace bitplan::cli {

/// The options of one command, and what the user gave for them.
class CommandLine {
 public:
  /// `usage` is the line after "bitplan ", e.g. "inspect MODEL.pt [options]".
  CommandLine(std::string usage, std::string summary);

  void Add(const std::vector<OptionRow>& rows);
  void AddPositional(const char* name, const po::value_semantic* value, const char* description);

  /// Reads the arguments and the --config file behind them. Returns false after printing the help. Throws Error.
  bool Parse(const Arguments& arguments);

  bool Has(const std::string& name) const { return values_.count(name) != 0 && !values_[name].empty(); }
  bool IsDefault(const std::string& name) const { return !Has(name) || values_[name].defaulted(); }
  template <typename T>
  T Get(const std::string& name) const {
    return values_[name].as<T>();
  }
  /// Of an option whose value is EnumOf or EnumOr.
  template <typename Enum>
  Enum GetEnum(const std::string& name) const {
    return bitplan::Parse<Enum>(Get<std::string>(name));
  }
  /// The files that the given options name, called by these.
  std::vector<NamedFile> Files(FileUse use) const;

  /// Throws Error that says what an option is of: it has no effect on what was found in a file.
  [[noreturn]] void RefuseAsIdle(const std::string& name) const;

  std::string Required(const std::string& name) const;           ///< throws Error when it was not given
  std::vector<std::string> List(const std::string& name) const;  ///< of an option that may be given several times

 private:
  void CheckNumbers() const;  ///< throws Error where one is outside the range of its option
  void CheckOwners() const;   ///< throws Error where an option was given without what it is of
  void MakeOptions();         ///< of the rows; what one is of is told as far as the command has it
  bool IsIn(const OptionState& state) const;
  bool IsPositional(const std::string& name) const;

  std::string usage_, summary_;
  po::options_description options_;
  po::options_description positional_options_;
  po::positional_options_description positions_;
  std::vector<std::string> positional_names_;
  std::vector<OptionRow> rows_;  // what the options are made of when the command line is read
  po::variables_map values_;
};

}  // namespace bitplan::cli
