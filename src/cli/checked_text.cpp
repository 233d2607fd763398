#include "checked_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "bitplan/error.h"
#include "network/device.h"
#include "values.h"

namespace bitplan::cli {

namespace {

[[noreturn]] void Refuse(const std::string& option, const std::string& given, const std::string& expected) {
  throw Error(fmt::format("--{} {}: expected {}", option, given.empty() ? "''" : given, expected));
}

std::string EitherOf(const std::vector<std::string>& names) {
  return fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

/// A list that `parse` reads, each of whose numbers is allowed.
template <typename Parse>
CheckedText* ListOf(Allowed each, Parse parse) {
  std::string expected = each.holds ? each.expected + "; several with commas between" : "numbers with commas between";
  return new CheckedText(std::move(expected),  // NOLINT: as po::value does
                         [each = std::move(each), parse](const std::string& option, const std::string& given) {
                           for (const double number : parse(option, given))
                             if (each.holds) Require(each, option, number, given);
                         });
}

CheckedText OfNames(const std::vector<std::string>& names, bool or_file) {
  std::vector<std::string> said = names;
  if (or_file) said.emplace_back("a file");
  const std::string expected = EitherOf(said);
  return {expected,
          [=](const std::string& option, const std::string& given) {
            const bool known = std::find(names.begin(), names.end(), given) != names.end();
            if (!known && !(or_file && std::filesystem::exists(given))) Refuse(option, given, expected);
          },
          /*of_names=*/true};
}

}  // namespace

CheckedText* OneName(const std::vector<std::string>& names) {
  return new CheckedText(OfNames(names, /*or_file=*/false));  // NOLINT: likewise
}

CheckedText NameOrFile(const std::vector<std::string>& names) { return OfNames(names, /*or_file=*/true); }

CheckedText* SomeNames(const std::vector<std::string_view>& names) {
  const std::vector<std::string> known(names.begin(), names.end());
  std::string expected = fmt::format("all, or with commas between {}", EitherOf(known));
  return new CheckedText(
      expected,
      [=](const std::string& option, const std::string& given) {  // NOLINT: likewise
        if (given == "all") return;
        for (const std::string& name : SplitAtCommas(given))
          if (std::find(known.begin(), known.end(), name) == known.end()) Refuse(option, given, expected);
      },
      /*of_names=*/true);
}

CheckedText* DeviceName() {
  return new CheckedText(
      network::kDevices,
      [](const std::string& option, const std::string& given) {  // NOLINT: likewise
        try {
          network::FindDevice(given);
        } catch (const Error&) {
          Refuse(option, given, network::kDevices);
        }
      },
      /*of_names=*/true);
}

CheckedText* Integers(Allowed each) { return ListOf(std::move(each), ParseIntegers); }
CheckedText* Decimals(Allowed each) { return ListOf(std::move(each), ParseNumbers); }
CheckedText* Percentages(Allowed each) { return ListOf(std::move(each), ParsePercents); }

CheckedText* OnePercentage(Allowed allowed) {
  std::string expected = allowed.expected;
  return new CheckedText(std::move(expected),  // NOLINT: likewise
                         [allowed = std::move(allowed)](const std::string& option, const std::string& given) {
                           Require(allowed, option, ParsePercent(option, given), given);
                         });
}

CheckedText* Bytes() {
  return new CheckedText("bytes, with a unit or without: 1500000, 512MiB, 2GiB",  // NOLINT: likewise
                         [](const std::string& option, const std::string& given) { ParseBytes(option, given); });
}

}  // namespace bitplan::cli
