#pragma once

#include "agent/options_fields.h"
#include "bitplan/choose.h"
#include "bitplan/search.h"
#include "files/fields.h"
#include "hessian/options_fields.h"
#include "quantize/options_fields.h"

BITPLAN_FIELDS(bitplan::SearchOptions, method, gap, time_limit_seconds, progress, stop);
BITPLAN_FIELDS(bitplan::ChooseOptions, candidates, distance, refine, model_samples, loss, search, quantize, progress);
