#pragma once

#include "bitplan/agent.h"
#include "files/fields.h"

BITPLAN_FIELDS(bitplan::SearchLimits, gap, time_limit_seconds, progress, stop);
BITPLAN_FIELDS(bitplan::AgentOptions, episodes, warm_up, seed, measured_loss, measured_by, certificate, checkpoint,
               progress, stop);
