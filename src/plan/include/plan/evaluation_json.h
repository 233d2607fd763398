#pragma once

#include "bitplan/plan.h"
#include "plan/json_reader.h"
#include "plan/json_writer.h"

namespace bitplan::plan {

Json EvaluationJson(const Evaluation& evaluation);
Evaluation ReadEvaluation(JsonReader reader);
Json ReportJson(const EvaluationReport& report);

}  // namespace bitplan::plan
