#include "readers/exported/program_json.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

/// Programs nest about ten levels, and some more for each branch within a branch.
constexpr int kDeepestProgram = 200;

constexpr std::string_view kNotFinite[] = {"-Infinity", "Infinity", "NaN"};

/// PyTorch 2.6 and 2.7 wrote numbers that are not finite as Python's json does: bare, which JSON has not. They become
/// the texts that later versions write.
std::string WithTextsForNumbers(std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string result;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {  // past a string, whatever it holds
      for (++at; at < text.size() && text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
      continue;
    }
    for (const std::string_view number : kNotFinite) {
      if (text.compare(at, number.size(), number) != 0) continue;
      result.append(text, copied, at - copied).append(1, '"').append(number).append(1, '"');
      copied = at + number.size();
      at = copied - 1;
      break;
    }
  }
  return result.append(text, copied, std::string_view::npos);
}

}  // namespace

Json ParseProgram(std::span<const std::uint8_t> bytes) {
  const auto check_depth = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDeepestProgram) throw Error(fmt::format("nested deeper than {} levels", kDeepestProgram));
    return true;
  };
  try {
    return Json::parse(WithTextsForNumbers(bytes), check_depth);
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
