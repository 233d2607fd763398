#pragma once

#include <string>

#include "bitplan/output_kind.h"
#include "plan/json_reader.h"

namespace bitplan::plan {

/// Of the key `outputs`.
inline OutputKind ReadOutputKind(JsonReader& reader) {
  const std::string text = reader.String("outputs");
  for (const OutputKind kind : {OutputKind::Classes, OutputKind::Binary, OutputKind::Values, OutputKind::Several})
    if (text == ToString(kind)) return kind;
  reader.Fail("outputs", "classes, binary, values or several");
}

}  // namespace bitplan::plan
