#include "command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "bitplan/error.h"
#include "file_roles.h"
#include "number_option.h"

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

}  // namespace

CommandLine::CommandLine(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)), options_("options", 118, 60) {
  options_.add_options()("help,h", "show this help");
  Add({{"config", Text("FILE"), "read options from FILE too, one name=value a line; the command line wins"},
       {"json", Text("FILE"), "write the result as JSON to FILE; - writes it to stdout instead of tables"}});
}

void CommandLine::Add(const std::vector<OptionRow>& rows) {
  for (const OptionRow& row : rows) options_.add_options()(row.name.c_str(), row.value, HelpOf(row).c_str());
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
