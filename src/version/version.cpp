#include "bitplan/version.h"

namespace bitplan {

std::string_view Version() { return BITPLAN_VERSION; }

}  // namespace bitplan
