#pragma once

#include <string>

#include "bitplan/plan.h"

namespace bitplan::cli {

/// That the plan is further from the float network than the uniform one that it is measured beside; empty where it is
/// not, or there is none.
std::string UniformWarning(const EvaluationReport& report);

}  // namespace bitplan::cli
