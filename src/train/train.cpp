#include "bitplan/train.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "network/weights_sha256.h"
#include "scratch_folder.h"
#include "trained_file.h"
#include "training_graph.h"
#include "training_methods/widen.h"
#include "training_run.h"

namespace bitplan {

namespace {

TrainResult TrainAsItIs(const std::filesystem::path& model, const NetworkOptions& network, const Plan& plan,
                        const Dataset& data, const TrainOptions& options) {
  train::TrainingRun run(model, network, plan, data, options);
  const std::optional<Divergence> diverged = run.Run();
  TrainResult result = train::Deploy(run.Best(), network, data);
  result.curve = run.state().curve;
  result.best_epoch = run.state().best_epoch;
  result.diverged = diverged;
  return result;
}

}  // namespace

TrainResult Train(const std::filesystem::path& model, const NetworkOptions& network, const Plan& plan,
                  const Dataset& data, const TrainOptions& options) {
  options.Validate();
  if (options.widen == 1) return TrainAsItIs(model, network, plan, data, options);
  NetworkOptions loading = network;
  loading.fold_batch_norm = false;
  const Network narrow = Network::Load(model, loading);
  if (const std::string differs = network::OtherInputValues(narrow, plan.input_values); !differs.empty())
    throw Error(fmt::format("the plan was {}", differs));
  if (!network::IsMadeFor(narrow, plan.model_sha256, plan.weights_sha256))
    throw Error(fmt::format("the plan is another model's: it was {}",
                            network::OtherModel(narrow, plan.model_sha256, plan.weights_sha256)));
  const train::ScratchFolder folder;
  const std::filesystem::path wide = folder.path() / "wide.pt";
  WriteFile(wide, training_methods::WidenedModelFile(narrow, {.factor = options.widen, .seed = options.seed}));
  loading.output = train::TrainingGraph::RemainingOutput(narrow);
  Plan widened = plan;
  loading.input_values.clear();  // fixed in the file
  widened.input_values.clear();
  widened.model_sha256.clear();
  widened.weights_sha256.clear();
  widened.costs.clear();  // of the narrow network
  return TrainAsItIs(wide, loading, widened, data, options);
}

}  // namespace bitplan
