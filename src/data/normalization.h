#pragma once

#include "bitplan/data.h"

namespace bitplan::data {

/// Throws Error where the options' normalization does not fit an input of this form.
void CheckNormalization(const SampleForm& input, const DataOptions& options);

}  // namespace bitplan::data
