#include "applied_plan.h"

#include <optional>
#include <utility>

#include "adapted_plan.h"
#include "bitplan/error.h"
#include "configuration_options.h"
#include "interrupt.h"
#include "memory_option.h"
#include "target_options.h"

namespace bitplan::cli {

void AddAppliedPlanOptions(CommandLine& line, bool by_hand) {
  line.Add({{"statistics", ReadFile(),
             "ranges of layer inputs from what bitplan calibrate collected, not from the calibration data"}});
  if (by_hand) AddConfigurationOptions(line);
  AddCorrectionOptions(line);
  AddOutputCorrectionOption(line);
  AddTargetOption(line, "refuse a plan that a device's compiler cannot run");
  AddCalibrationOptions(line);
  AddPreparationOptions(line);
  AddBatchOption(line);
  AddModelOptions(line);
}

AppliedPlan ReadAppliedPlan(const CommandLine& line) {
  const std::optional<Target> target = ReadTargetOption(line);
  const bool by_hand = HasConfiguration(line);
  if (by_hand && line.Has("plan.json"))
    throw Error("plan.json: formats are given by hand as well; leave out one of the two");
  std::optional<Plan> given;
  if (line.Has("plan.json") || (!target && !by_hand)) given = ReadPlan(line.Required("plan.json"));
  NetworkOptions network_options = ReadModelOptions(line);
  network_options.operand_sites = target.has_value();
  if (given) MatchPlan(*given, network_options);
  AppliedPlan applied{LoadNetwork(line, network_options), {}, {}, {}};
  const Network& network = applied.network;
  if (given) {
    AdaptedPlan adapted = AdaptAndTell(network, *given);
    given = std::move(adapted.plan);
    applied.matched_by_value = std::move(adapted.by_value);
  }
  applied.plan = given     ? *given
                 : by_hand ? MakeConfiguredPlan(network, ReadConfigurationOptions(line))
                           : MakeTargetPlan(line, network, *target);
  applied.plan.corrections = ReadCorrections(line, applied.plan.corrections);
  if (target) CheckPlan(applied.plan, network, *target);
  applied.options.batch_size = line.Get<std::int64_t>("batch-size");
  applied.options.progress = ShowProgress();
  if (line.Has("statistics"))
    applied.options.statistics = ActivationStatistics::Read(line.Get<std::string>("statistics"), network);
  return applied;
}

}  // namespace bitplan::cli
