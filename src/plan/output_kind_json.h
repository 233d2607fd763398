#pragma once

#include <string>

#include "bitplan/output_kind.h"
#include "plan/json_reader.h"
#include "text/enum_names.h"

namespace bitplan::plan {

inline constexpr text::Names<OutputKind, 4> kOutputKinds = {{{OutputKind::Classes, "classes"},
                                                             {OutputKind::Binary, "binary"},
                                                             {OutputKind::Values, "values"},
                                                             {OutputKind::Several, "several"}}};
static_assert(text::IsWhole<kOutputKinds>() && ToString(OutputKind::Classes) == "classes" &&
                  ToString(OutputKind::Binary) == "binary" && ToString(OutputKind::Values) == "values" &&
                  ToString(OutputKind::Several) == "several",
              "a value is missing, or has two names");

/// Of the key `outputs`.
inline OutputKind ReadOutputKind(JsonReader& reader) {
  const std::string text = reader.String("outputs");
  for (const auto& [kind, name] : kOutputKinds)
    if (text == name) return kind;
  reader.Fail("outputs", "classes, binary, values or several");
}

}  // namespace bitplan::plan
