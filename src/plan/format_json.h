#pragma once

#include <cmath>

#include "bitplan/format.h"
#include "bitplan/sensitivity.h"
#include "plan/json_reader.h"

namespace bitplan {

// Parts that several file kinds share.
Json FormatJson(const Format& format);
Format ReadFormat(JsonReader reader);  ///< validated

Json DataSourceJson(const DataSource& data);
DataSource ReadDataSource(JsonReader reader);

/// JSON has no NaN.
inline Json NumberOrNull(double number) { return std::isfinite(number) ? Json(number) : Json(); }

}  // namespace bitplan
