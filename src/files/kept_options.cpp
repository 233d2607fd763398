#include "files/kept_options.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "json_difference.h"

namespace bitplan::files {

void RequireKept(const std::string& name, const Json& given, const Json& defaults, const Json& used) {
  for (const auto& [key, value] : given.items()) {
    const std::string member = fmt::format("{}.{}", name, key);
    if (value.is_object() && used[key].is_object() && defaults[key].is_object())
      RequireKept(member, value, defaults[key], used[key]);
    else if (value != defaults[key] && value != used[key])
      throw Error(
          fmt::format("{} is {}, but {} counts, which follows from the options of the whole: set those, and "
                      "leave this one as it is",
                      member, ValueText(value), ValueText(used[key])));
  }
}

}  // namespace bitplan::files
