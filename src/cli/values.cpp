#include "values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "bitplan/error.h"

namespace bitplan::cli {

namespace {

/// The number that all of a text is, or nothing.
std::optional<double> OneNumber(std::string_view text) {
  double number = 0;
  const auto [next, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc() && next == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

template <typename Number>
std::vector<Number> ParseList(const std::string& option, const std::string& text) {
  std::vector<Number> numbers;
  for (const char *at = text.data(), *const end = at + text.size();;) {
    Number number{};
    const auto [next, status] = std::from_chars(at, end, number);
    if (status != std::errc() || (next != end && *next != ','))
      throw Error(fmt::format("--{} {}: expected numbers with commas between them", option, text));
    numbers.push_back(number);
    if (next == end) return numbers;
    at = next + 1;
  }
}

/// What is wrong with COST=NUMBER where a unit follows the number.
std::string WithoutUnit(const std::string& text) {
  for (const char* unit : {"%", "KiB", "MiB", "GiB", "kB", "MB", "GB"})
    if (text.ends_with(unit)) return fmt::format(", without '{}': what that would be of is not known here", unit);
  return "";
}

}  // namespace

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::vector<int> ParseIntegers(const std::string& option, const std::string& text) {
  return ParseList<int>(option, text);
}
std::vector<double> ParseNumbers(const std::string& option, const std::string& text) {
  return ParseList<double>(option, text);
}

std::int64_t ParseBytes(const std::string& option, const std::string& text) {
  static const std::map<std::string, double> units = {{"", 1},     {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
                                                      {"kB", 1e3}, {"MB", 1e6},     {"GB", 1e9}};
  const auto digits = text.find_first_not_of("0123456789.");
  const auto unit = units.find(digits == std::string::npos ? "" : text.substr(digits));
  const std::vector<double> number =
      unit == units.end() || digits == 0 ? std::vector<double>() : ParseNumbers(option, text.substr(0, digits));
  if (number.size() != 1 || number[0] * unit->second < 1 || number[0] * unit->second > 0x1p60)
    throw Error(fmt::format("--{} {}: expected bytes, with a unit or without: 1500000, 512MiB, 2GiB", option, text));
  return static_cast<std::int64_t>(number[0] * unit->second);
}

double ParsePercent(const std::string& option, const std::string& text) {
  const auto number = text.ends_with('%') ? OneNumber(std::string_view(text).substr(0, text.size() - 1)) : std::nullopt;
  if (!number) throw Error(fmt::format("--{} {}: expected a percentage, as 5%", option, text));
  return *number;
}

std::vector<double> ParsePercents(const std::string& option, const std::string& text) {
  std::vector<double> percents;
  for (const std::string& part : SplitAtCommas(text)) percents.push_back(ParsePercent(option, part));
  return percents;
}

std::map<std::string, double> ParsePerCost(const std::string& option, const std::vector<std::string>& texts) {
  std::map<std::string, double> values;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    const auto number =
        equals == std::string::npos ? std::nullopt : OneNumber(std::string_view(text).substr(equals + 1));
    if (!number)
      throw Error(
          fmt::format("--{0} {1}: expected COST=NUMBER, COST as in problem files and a plain number in its unit{2}",
                      option, text, WithoutUnit(text)));
    values[text.substr(0, equals)] = *number;
  }
  return values;
}

std::string Joined(const std::vector<Measure>& measures) {
  std::vector<std::string_view> names;
  for (const Measure measure : measures) names.push_back(ToString(measure));
  return fmt::format("{}", fmt::join(names, ","));
}

std::vector<Measure> ParseMeasures(const std::string& text) {
  if (text == "all") return AllMeasures();
  std::vector<Measure> measures;
  for (const std::string& name : SplitAtCommas(text)) measures.push_back(ParseMeasure(name));
  return measures;
}

}  // namespace bitplan::cli
