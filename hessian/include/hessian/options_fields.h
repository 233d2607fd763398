#pragma once

#include "bitplan/analyze.h"
#include "files/fields.h"
#include "plan/options_fields.h"

BITPLAN_FIELDS(bitplan::EigenLimits, tolerance, max_products);
BITPLAN_FIELDS(bitplan::TraceLimits, min_probes, max_probes, tolerance);
BITPLAN_FIELDS(bitplan::AnalyzeOptions, weight_bits, activation_bits, measures, weight_format, activation_format,
               channel_correction, keep_shifts, operands, delta, loss, temperature, precision, exact_hessian,
               curvature_samples, compute, memory_bytes, batch_size, seed, eigen, trace, checkpoint, progress);
