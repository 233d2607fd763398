#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/search.h"
#include "options.h"
#include "table.h"

namespace bitplan::cli {

/// 1,234,567
std::string WithCommas(std::int64_t number);
std::string Shape(const std::vector<std::int64_t>& sizes);

/// Writes `json` where --json says. Returns whether tables are to be printed as well.
bool WriteJson(const CommandLine& line, const std::string& json);

/// `options`: those that the plan was searched with, so that losses are what the search went by.
void PrintPlan(const Plan& plan, const Sensitivity& sensitivity, const ProblemOptions& options);
void PrintCosts(const Plan& plan);
/// `planned`: the plan's name in the table. `computed_otherwise`: the plan computed in another way, and its name.
void PrintEvaluation(const EvaluationReport& report, const std::string& planned = "planned",
                     const std::optional<std::pair<std::string, Evaluation>>& computed_otherwise = {});
/// Which loss it is and why, where that is not plain.
void PrintCriterion(const Criterion& criterion);
/// What runs in float, and why, by kind, of many the first few; or `if_none`.
void PrintInFloat(const std::vector<FloatOperator>& in_float, const std::string& if_none);

/// Says which budget cannot be met, by how much, and what the cheapest plan comes to, or that time was too short to
/// tell; on stderr. The JSON of the solution lists that plan.
void PrintInfeasible(const CommandLine& line, const Problem& problem, const Solution& solution);

}  // namespace bitplan::cli
