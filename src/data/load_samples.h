#pragma once

#include <memory>
#include <string>

#include "bitplan/data.h"
#include "data/spec.h"

namespace bitplan::data {

/// The samples of files that the options draw, checked as a whole. They are read from the file each time where that can
/// be done and they take much, else held; what is not drawn is never held. `name`: of the source. Throws Error as
/// Dataset::Load does.
std::shared_ptr<const SampleSource> LoadSamples(const Spec& spec, const std::string& name, const DataOptions& options);

}  // namespace bitplan::data
