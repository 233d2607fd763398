#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <typeinfo>
#include <utility>

#include "bitplan/error.h"
#include "cli/file_roles.h"
#include "cli/number_option.h"

namespace bitplan::cli {

namespace {

/// Reading a number that has no sign takes −1 for 2^64 − 1.
void RefuseSigns(const po::options_description& options, const po::parsed_options& given) {
  for (const po::option& option : given.options) {
    const po::option_description* const known = options.find_nothrow(option.string_key, /*approx=*/false);
    if (option.value.empty() || !known) continue;
    const auto* const typed = dynamic_cast<const po::typed_value_base*>(known->semantic().get());
    if (typed && typed->value_type() == typeid(std::uint64_t) && option.value[0].find('-') != std::string::npos)
      throw Error(
          fmt::format("--{} {}: expected a whole number that is not negative", option.string_key, option.value[0]));
  }
}

}  // namespace

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)), options_("options", 118, 60) {
  Add()("help,h", "show this help")("config", po::value<std::string>()->value_name("FILE"),
                                    "read options from FILE too, one name=value a line; the command line wins")(
      "json", po::value<std::string>()->value_name("FILE"),
      "write the result as JSON to FILE; - writes it to stdout instead of tables");
}

void CommandLine::AddPositional(const char* name, const char* description) {
  positional_options_.add_options()(name, po::value<std::string>(), description);
  positions_.add(name, 1);
  positional_names_.emplace_back(name);
}

bool CommandLine::Parse(const Arguments& arguments) {
  po::options_description all;
  all.add(options_).add(positional_options_);
  try {
    // No guessing: an abbreviated option would change its meaning when another one is added.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const auto given = po::command_line_parser(arguments).options(all).positional(positions_).style(style).run();
    RefuseSigns(all, given);
    po::store(given, values_);
    if (Has("config")) {
      const auto file = Get<std::string>("config");
      std::ifstream config(file);
      if (!config) throw Error(fmt::format("option file {} cannot be read", file));
      const auto written = po::parse_config_file(config, all);
      RefuseSigns(all, written);
      po::store(written, values_);
    }
    po::notify(values_);
    if (!Has("help")) CheckNumbers();
  } catch (const po::too_many_positional_options_error&) {
    throw Error(fmt::format("too many arguments; usage: bitplan {}", usage_));
  } catch (const po::error& error) {
    throw Error(
        fmt::format("{}; bitplan {} --help lists the options", error.what(), usage_.substr(0, usage_.find(' '))));
  }
  if (!Has("help")) {
    RefuseOverwriting(*this);
    return true;
  }
  std::ostringstream help;
  help << "usage: bitplan " << usage_ << "\n\n" << summary_ << "\n\n" << options_;
  std::cout << help.str();
  return false;
}

void CommandLine::CheckNumbers() const {
  for (const auto& option : options_.options()) {
    const std::string& name = option->long_name();
    if (const auto* const checked = dynamic_cast<const CheckedOption*>(option->semantic().get()); checked && Has(name))
      checked->Check(name, values_[name].value());
  }
}

std::string CommandLine::Required(const std::string& name) const {
  if (Has(name)) return Get<std::string>(name);
  const bool positional =
      std::find(positional_names_.begin(), positional_names_.end(), name) != positional_names_.end();
  throw Error(fmt::format("{}{} is missing; usage: bitplan {}", positional ? "" : "--", name, usage_));
}

std::vector<std::string> CommandLine::List(const std::string& name) const {
  return Has(name) ? Get<std::vector<std::string>>(name) : std::vector<std::string>{};
}

}  // namespace bitplan::cli
