#pragma once

#include "bitplan/format.h"
#include "bitplan/sensitivity.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan {

// Parts that several file kinds share.
Json FormatJson(const Format& format);
Format ReadFormat(JsonReader reader);  ///< validated

Json DataSourceJson(const DataSource& data);
DataSource ReadDataSource(JsonReader reader);

}  // namespace bitplan
