#pragma once

#include "bitplan/quantize.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::QuantizeOptions, batch_size, correction_samples, statistics, memory_bytes, progress);
