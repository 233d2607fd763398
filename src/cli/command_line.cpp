#include "command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "bitplan/error.h"
#include "file_roles.h"
#include "number_option.h"
#include "values.h"

namespace bitplan::cli {

namespace {

template <typename T>
bool IsNumber(std::string_view text) {
  T number{};
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(number)) return false;
  }
  return error == std::errc() && end == text.data() + text.size();
}

/// What an option of this type takes, where `text` is not that; empty where it is, or where the type is no number.
std::string_view Expected(const std::type_info& type, const std::string& text) {
  if (type == typeid(std::uint64_t) && !IsNumber<std::uint64_t>(text)) return "a whole number that is not negative";
  if (type == typeid(int) && !IsNumber<int>(text)) return "a whole number";
  if ((type == typeid(std::int64_t) || type == typeid(std::vector<std::int64_t>)) && !IsNumber<std::int64_t>(text))
    return "a whole number";
  if (type == typeid(double) && !IsNumber<double>(text)) return "a number, as in 0.5";
  return "";
}

/// Says what an option takes where what is given is no number, or not one of its kind.
void RequireNumbers(const po::options_description& options, const po::parsed_options& given) {
  for (const po::option& option : given.options) {
    const po::option_description* const known = options.find_nothrow(option.string_key, /*approx=*/false);
    if (!known) continue;
    const auto* const typed = dynamic_cast<const po::typed_value_base*>(known->semantic().get());
    if (!typed) continue;
    const auto* const checked = dynamic_cast<const CheckedOption*>(known->semantic().get());
    for (const std::string& text : option.value)
      if (const auto expected = Expected(typed->value_type(), text); !expected.empty())
        throw Error(fmt::format("--{} {}: expected {}", option.string_key, text.empty() ? "''" : text,
                                checked ? std::string_view(checked->Expected()) : expected));
  }
}

/// A file that is not known to be read or written is not protected from being overwritten.
void RequireRole(const std::string& option, const po::value_semantic& value) {
  const std::string shown = value.name();
  const bool of_files = shown.find("FILE") != std::string::npos || shown.find("FOLDER") != std::string::npos;
  if (of_files && !dynamic_cast<const FileOption*>(&value))
    throw std::logic_error(fmt::format("--{} names files, but its value is none of file_option.h", option));
}

/// As it would be written on the command line.
std::string TextOf(const boost::any& value) {
  if (const auto* const text = boost::any_cast<std::string>(&value)) return *text;
  if (const auto* const flag = boost::any_cast<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* const number = boost::any_cast<int>(&value)) return std::to_string(*number);
  if (const auto* const number = boost::any_cast<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* const number = boost::any_cast<std::uint64_t>(&value)) return std::to_string(*number);
  if (const auto* const number = boost::any_cast<double>(&value)) return fmt::format("{}", *number);
  return {};  // of several
}

/// Whether one of what stands between commas is one of `values`, or begins with one that ends with a colon.
bool HoldsOneOf(const std::vector<std::string>& values, const std::string& text) {
  const std::vector<std::string> given = SplitAtCommas(text);
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) {
    return std::any_of(given.begin(), given.end(), [&](const std::string& each) {
      return value.ends_with(':') ? each.starts_with(value) : each == value;
    });
  });
}

}  // namespace

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)), options_("options", 118, 60) {
  options_.add_options()("help,h", "show this help");
  Add({{"config", ReadFile(), "read options from FILE too, one name=value a line; the command line wins"},
       {"json", WrittenFile(), "write the result as JSON to FILE; - writes it to stdout instead of tables"}});
}

void CommandLine::Add(const std::vector<OptionRow>& rows) { rows_.insert(rows_.end(), rows.begin(), rows.end()); }

void CommandLine::MakeOptions() {
  const auto is_known = [&](const OptionState& state) {
    return IsPositional(state.option) ||
           std::any_of(rows_.begin(), rows_.end(), [&](const OptionRow& row) { return row.name == state.option; });
  };
  for (OptionRow& row : rows_) {
    RequireRole(row.name, *row.value);
    const bool free = row.of.empty();
    std::erase_if(row.of, [&](const OptionState& state) { return !is_known(state); });
    if (row.of.empty() && !free)
      throw std::logic_error(fmt::format("--{} is of options that this command does not have", row.name));
    options_.add_options()(row.name.c_str(), row.value, HelpOf(row).c_str());
  }
}

void CommandLine::AddPositional(const char* name, const po::value_semantic* value, const char* description) {
  RequireRole(name, *value);
  positional_options_.add_options()(name, value, description);
  positions_.add(name, 1);
  positional_names_.emplace_back(name);
}

bool CommandLine::Parse(const Arguments& arguments) {
  MakeOptions();
  po::options_description all;
  all.add(options_).add(positional_options_);
  try {
    // No guessing: an abbreviated option would change its meaning when another one is added.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const auto given = po::command_line_parser(arguments).options(all).positional(positions_).style(style).run();
    RequireNumbers(all, given);
    po::store(given, values_);
    if (Has("config")) {
      const auto file = Get<std::string>("config");
      if (file.empty()) throw Error("--config '': expected the name of a file or folder");
      std::ifstream config(file);
      if (!config) throw Error(fmt::format("option file {} cannot be read", file));
      const auto written = po::parse_config_file(config, all);
      RequireNumbers(all, written);
      po::store(written, values_);
    }
    po::notify(values_);
    if (!Has("help")) {
      CheckNumbers();
      CheckOwners();
    }
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

bool CommandLine::IsIn(const OptionState& state) const {
  if (!Has(state.option)) return false;
  const boost::any& value = values_[state.option].value();
  if (!state.values.empty()) return HoldsOneOf(state.values, TextOf(value)) != state.but_these;
  const po::option_description* const option = options_.find_nothrow(state.option, /*approx=*/false);
  boost::any by_default;
  return !option || !option->semantic()->apply_default(by_default) || TextOf(by_default) != TextOf(value);
}

void CommandLine::CheckOwners() const {
  for (const OptionRow& row : rows_)
    if (!row.of.empty() && !IsDefault(row.name) &&
        std::none_of(row.of.begin(), row.of.end(), [&](const OptionState& state) { return IsIn(state); }))
      RefuseAsIdle(row.name);
}

void CommandLine::RefuseAsIdle(const std::string& name) const {
  const OfWhat& of =
      std::find_if(rows_.begin(), rows_.end(), [&](const OptionRow& row) { return row.name == name; })->of;
  throw Error(fmt::format("--{0} is of {1}, without which it has no effect; give {2}, too, or leave out --{0}", name,
                          Describe(of), of.size() == 1 ? "that" : "one of these"));
}

bool CommandLine::IsPositional(const std::string& name) const {
  return std::find(positional_names_.begin(), positional_names_.end(), name) != positional_names_.end();
}

std::vector<NamedFile> CommandLine::Files(FileUse use) const {
  std::vector<NamedFile> files;
  const auto append = [&](const po::options_description& options) {
    for (const auto& option : options.options()) {
      const std::string& name = option->long_name();
      const auto* const file = dynamic_cast<const FileOption*>(option->semantic().get());
      if (!file || file->use() != use || !Has(name)) continue;
      for (NamedFile& each : file->Files(IsPositional(name) ? name : "--" + name, values_[name].value()))
        files.push_back(std::move(each));
    }
  };
  append(positional_options_);
  append(options_);
  // What every command has stands first among the options; told is what its own would do, or have done to them.
  std::stable_partition(files.begin(), files.end(), [](const NamedFile& file) { return file.name != "--json"; });
  return files;
}

std::string CommandLine::Required(const std::string& name) const {
  if (Has(name)) return Get<std::string>(name);
  throw Error(fmt::format("{}{} is missing; usage: bitplan {}", IsPositional(name) ? "" : "--", name, usage_));
}

std::vector<std::string> CommandLine::List(const std::string& name) const {
  return Has(name) ? Get<std::vector<std::string>>(name) : std::vector<std::string>{};
}

}  // namespace bitplan::cli
