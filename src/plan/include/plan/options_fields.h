#pragma once

#include "bitplan/format.h"
#include "bitplan/sensitivity.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::Format, bits, type, scheme, granularity, group_size, scale_type, narrow_range, reduce_range,
               calibrator, percentile, deviations);
BITPLAN_FIELDS(bitplan::OperandFormat, name, format, layer);
