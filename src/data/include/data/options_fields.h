#pragma once

#include "bitplan/data.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::DataOptions, samples, fewer_allowed, seed, mean, std, input_names, ignored_labels, memory_bytes,
               context, resize, crop, interpolation, skip_bad);

namespace bitplan::files {

/// What samples these are, for what must be of the same ones. Of data in memory how many, and no more.
inline Json IdentityOf(const Dataset& data) {
  return {{"samples", data.size()},
          {"sha256", data.sha256()},
          {"first", data.first()},
          {"options", OptionsJson(data.options(), {"memory_bytes"})}};
}

}  // namespace bitplan::files
