#pragma once

#include <string>

#include "files/fields.h"

namespace bitplan::files {

/// The same of options as JSON; `defaults` are those of the struct.
void RequireKept(const std::string& name, const Json& given, const Json& defaults, const Json& used);

/// Nothing that a caller set may be overwritten in silence: throws Error where a member of `given` is neither its
/// default nor what `used` has. `name`: how the caller reaches these options, for the message.
template <typename Options>
void RequireKept(const std::string& name, const Options& given, const Options& used) {
  RequireKept(name, OptionsJson(given), OptionsJson(Options{}), OptionsJson(used));
}

}  // namespace bitplan::files
