#include "train/trained_file.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "train/training_graph.h"

namespace bitplan {

namespace {

/// A folder that is gone with the value.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "bitplan-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error(fmt::format("{}: no temporary folder can be made there", name));
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TrainResult Deploy(const TrainedNetwork& trained, const NetworkOptions& options, const Dataset& data) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "trained.pt";
  std::string model_file = trained.ModelFile();
  WriteFile(file, model_file);
  Plan plan = trained.LearnedPlan();
  if (plan.data.spec.empty()) plan.data = {data.source(), data.sha256(), data.size(), data.mean(), data.std()};
  NetworkOptions loading = options;
  loading.output = TrainingGraph::RemainingOutput(trained.float_network());
  loading.fold_batch_norm = plan.fold_batch_norm;
  loading.operand_sites = !plan.operands.empty();
  const Network network = Network::Load(file, loading);
  plan.model_sha256 = network.sha256();
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data.First(std::min<std::int64_t>(data.size(), 128)));
  return {network, std::move(model_file), std::move(plan), quantized, {}, 0, std::nullopt};
}

}  // namespace bitplan
