#include "trained_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "bitplan/files.h"
#include "bitplan/fingerprint.h"
#include "scratch_folder.h"
#include "training_graph.h"

namespace bitplan::train {

TrainResult Deploy(const TrainedNetwork& trained, const Dataset& data) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "trained.pt";
  std::string model_file = trained.ModelFile();
  WriteFile(file, model_file);
  Plan plan = trained.LearnedPlan();
  const DataOptions& prepared = data.options();
  if (plan.data.spec.empty())
    plan.data = {data.source(),    data.sha256(),
                 data.size(),      data.mean(),
                 data.std(),       data.ignored_labels(),
                 prepared.context, prepared.resize,
                 prepared.crop,    prepared.resize != 0 ? prepared.interpolation : ""};
  NetworkOptions loading = trained.float_network().options();
  loading.output = TrainingGraph::RemainingOutput(trained.float_network());
  loading.fold_batch_norm = plan.fold_batch_norm;
  loading.input_values.clear();  // fixed in the file
  plan.input_values.clear();
  loading.operand_sites = !plan.operands.empty();
  const Network network = Network::Load(file, loading);
  plan.model_sha256 = network.sha256();
  plan.weights_sha256 = network.weights_sha256();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].fingerprint = Fingerprint(network, network.layers()[i]);
  const QuantizedNetwork quantized =
      QuantizedNetwork::Create(network, plan, data.First(std::min<std::int64_t>(data.size(), 128)));
  return {network, std::move(model_file), std::move(plan), quantized, {}, 0, std::nullopt};
}

}  // namespace bitplan::train
