#pragma once

#include <vector>

#include "bitplan/network.h"
#include "plan/json_writer.h"

namespace bitplan::evaluate {

/// The operators that run in float, and why, as evaluations list them.
inline plan::Json InFloatJson(const std::vector<FloatOperator>& in_float) {
  plan::Json list = plan::Json::array();
  for (const FloatOperator& each : in_float)
    list.push_back({{"name", each.name}, {"operator", each.op}, {"reason", each.reason}});
  return list;
}

}  // namespace bitplan::evaluate
