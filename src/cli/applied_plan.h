#pragma once

#include <map>
#include <string>

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "options.h"

namespace bitplan::cli {

/// What a plan is applied to, and how.
struct AppliedPlan {
  Network network;
  Plan plan;
  QuantizeOptions options;
  std::map<std::string, std::string> matched_by_value;  ///< AdaptedPlan::by_value
};

/// The options of commands that write what a plan makes of a network: corrections, calibration, target, model.
/// `by_hand`: formats may be given by hand in place of plan.json.
void AddAppliedPlanOptions(CommandLine& line, bool by_hand);

/// Loads plan.json, or makes the plan by hand or of a target, and the model.
AppliedPlan ReadAppliedPlan(const CommandLine& line);

}  // namespace bitplan::cli
