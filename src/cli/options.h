#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/cost.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "bitplan/search.h"
#include "cli/command.h"

namespace bitplan::cli {

namespace po = boost::program_options;

/// The options of one command, and what the user gave for them.
class CommandLine {
 public:
  /// `usage` is the line after "bitplan ", e.g. "inspect MODEL.pt [options]".
  CommandLine(std::string usage, std::string summary);

  po::options_description_easy_init Add() { return options_.add_options(); }
  void AddPositional(const char* name, const char* description);

  /// Reads the arguments and the --config file behind them. Returns false after printing the help. Throws Error.
  bool Parse(const Arguments& arguments);

  bool Has(const std::string& name) const { return values_.count(name) != 0 && !values_[name].empty(); }
  bool IsDefault(const std::string& name) const { return !Has(name) || values_[name].defaulted(); }
  template <typename T>
  T Get(const std::string& name) const {
    return values_[name].as<T>();
  }
  std::string Required(const std::string& name) const;  ///< throws Error when it was not given
  std::vector<std::string> List(const std::string& name) const;  ///< of an option that may be given several times

 private:
  std::string usage_, summary_;
  po::options_description options_;
  po::options_description positional_options_;
  po::positional_options_description positions_;
  std::vector<std::string> positional_names_;
  po::variables_map values_;
};

/// 2,3,4 as numbers. Throws Error naming the option.
std::vector<int> ParseIntegers(const std::string& option, const std::string& text);
std::vector<double> ParseNumbers(const std::string& option, const std::string& text);

/// Bytes with or without a unit: 1500000, 512MiB. Throws Error naming the option.
std::int64_t ParseBytes(const std::string& option, const std::string& text);

/// COST=NUMBER of each text, the later over the earlier.
std::map<std::string, double> ParsePerCost(const std::string& option, const std::vector<std::string>& texts);

// Groups of options that several commands share: added to a command line, then read from it. Defaults are the library's.
void AddModelOptions(CommandLine& line);
NetworkOptions ReadModelOptions(const CommandLine& line);

void AddPreparationOptions(CommandLine& line);  ///< seed and normalization
void AddSampleOptions(CommandLine& line, std::int64_t default_samples);  ///< these and --samples
DataOptions ReadSampleOptions(const CommandLine& line);

void AddLossOptions(CommandLine& line);  ///< loss, temperature and memory; part of those of the analysis
void AddAnalyzeOptions(CommandLine& line);
AnalyzeOptions ReadAnalyzeOptions(const CommandLine& line);

void AddSearchOptions(CommandLine& line);
SearchOptions ReadSearchOptions(const CommandLine& line);
ProblemOptions ReadProblemOptions(const CommandLine& line);
std::int64_t ReadResamples(const CommandLine& line);

/// Names with commas between.
std::string Joined(const std::vector<Measure>& measures);

/// "all", or names with commas between them.
std::vector<Measure> ParseMeasures(const std::string& text);

/// The data to calibrate a plan's network on: --calibration, or the data that the plan was analyzed on, found where the plan
/// says and checked to be the same. Throws Error when neither is there.
void AddCalibrationOptions(CommandLine& line);
Dataset LoadCalibration(const CommandLine& line, const Plan& plan);

void AddBatchOption(CommandLine& line);

}  // namespace bitplan::cli
