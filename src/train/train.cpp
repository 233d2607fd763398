#include "bitplan/train.h"

#include <fmt/format.h>

#include <string>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/model_state.h"
#include "bitplan/plan_match.h"
#include "network/lowered_graph.h"
#include "scratch_folder.h"
#include "trained_file.h"
#include "training_graph.h"
#include "training_methods/widen.h"
#include "training_run.h"

namespace bitplan {

namespace {

/// What is folded cannot be taken apart again.
void RequireUnfolded(const Network& network, const Plan& plan, const TrainOptions& options) {
  if (!network.batch_norm_folded() || network.lowered().folded_norms.empty()) return;
  std::string wanted;
  if (options.widen > 1) wanted = "widened";
  if (options.batch_norm != BatchNormFolding::Folded)
    wanted = fmt::format("trained as {}", ToString(options.batch_norm));
  if (!plan.fold_batch_norm) wanted = "kept, as the plan has it";
  if (options.state_dict) wanted = "unfolded, for the module's state";
  if (wanted.empty()) return;
  throw Error(
      fmt::format("{}: batch norm was folded when it was loaded, and is to be {}; load it with fold_batch_norm off",
                  network.source(), wanted));
}

TrainResult TrainAsItIs(const Network& network, const Plan& plan, const Dataset& data, const TrainOptions& options) {
  train::TrainingRun run(network, plan, data, options);
  const std::optional<Divergence> diverged = run.Run();
  TrainResult result = train::Deploy(run.Best(), data);
  result.curve = run.state().curve;
  result.best_epoch = run.state().best_epoch;
  result.diverged = diverged;
  if (options.state_dict) result.state = run.Best().State(network, ModelState(network.source()));
  return result;
}

/// Through a file, as any model.
Network Widened(const Network& narrow, const TrainOptions& options) {
  const train::ScratchFolder folder;
  const std::filesystem::path wide = folder.path() / "wide.pt";
  WriteFile(wide, training_methods::WidenedModelFile(narrow, {.factor = options.widen, .seed = options.seed}));
  NetworkOptions loading = narrow.options();
  loading.output = train::TrainingGraph::RemainingOutput(narrow);
  loading.input_values.clear();  // fixed in the file
  return Network::Load(wide, loading);
}

}  // namespace

TrainResult Train(const Network& network, const Plan& plan, const Dataset& data, const TrainOptions& options) {
  options.Validate();
  RequireUnfolded(network, plan, options);
  if (options.widen > 1 && options.state_dict)
    throw Error("a network that is widened is no longer the module's: leave out its state, or do not widen it");
  if (options.widen == 1) return TrainAsItIs(network, plan, data, options);
  Plan widened = AdaptPlan(plan.fold_batch_norm ? network.WithBatchNormFolded() : network, plan).plan;
  widened.input_values.clear();
  widened.model_sha256.clear();
  widened.weights_sha256.clear();
  for (LayerPlan& layer : widened.layers) layer.fingerprint.clear();
  widened.costs.clear();  // of the narrow network
  return TrainAsItIs(Widened(network, options), widened, data, options);
}

}  // namespace bitplan
