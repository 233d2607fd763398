#pragma once

#include "bitplan/cost_table.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

Json CostTableJson(const CostTable& table);

/// Throws Error naming file, key and what was expected.
CostTable ReadCostTable(JsonReader& reader);

}  // namespace bitplan::plan
