#include "readers/exported/program_json.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

/// Programs nest about ten levels, and some more for each branch within a branch.
constexpr int kDeepestProgram = 200;

}  // namespace

Json ParseProgram(std::span<const std::uint8_t> text) {
  const auto check_depth = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDeepestProgram) throw Error(fmt::format("nested deeper than {} levels", kDeepestProgram));
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check_depth);
  } catch (const Json::exception& error) {
    throw Error(ProgramError(error));
  }
}

Tagged Untag(const Json& tagged) {
  if (!tagged.is_object() || tagged.size() != 1)
    throw Error(fmt::format("expected an object of one member, not {}", tagged.type_name()));
  const auto member = tagged.begin();
  return {member.key(), member.value()};
}

double FloatOf(const Json& number) {
  if (!number.is_string()) return number.get<double>();
  const auto& text = number.get_ref<const std::string&>();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  throw Error(fmt::format("expected a number, not '{}'", text));
}

std::int64_t FixedSize(const Json& size) { return size.at("as_int").get<std::int64_t>(); }

std::string ProgramError(const Json::exception& error) {
  const std::string_view text = error.what();
  const auto end = text.find("] ");
  return std::string(text.starts_with('[') && end != std::string_view::npos ? text.substr(end + 2) : text);
}

}  // namespace bitplan::network
