#include "plan/json_writer.h"

#include <cmath>

namespace bitplan::plan {

Json NumberOrNull(double number) { return std::isfinite(number) ? Json(number) : Json(); }

std::string JsonText(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace bitplan::plan
