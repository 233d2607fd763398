#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "train/run_state.h"
#include "train/step_optimizer.h"
#include "train/trained_network.h"

namespace bitplan {

/// What must be the same for a run to go on: names and values.
using RunSubject = std::vector<std::pair<std::string, std::string>>;
RunSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data, const Criterion& criterion,
                     const TrainOptions& options);

/// The file of a run that is to go on. Draws depend on seed, epoch and step alone, so there is no more to keep.
class Checkpoint {
 public:
  /// Nothing where the options name no file, or it is not there. Throws Error when it is no checkpoint, or of another
  /// run, naming what differs.
  static std::optional<Checkpoint> Open(const TrainOptions& options, const RunSubject& subject);

  /// How far the run had come, without the best network. Throws Error when the file is damaged, like Restore.
  RunState State();

  /// Reads the rest: into a network and an optimizer that are ready for the state's stage.
  void Restore(TrainedNetwork& network, StepOptimizer& optimizer, RunState& state);

 private:
  explicit Checkpoint(std::string file) : file_(std::move(file)) {}
  template <typename Read>
  void Reading(const Read& read);

  std::string file_;
  torch::serialize::InputArchive archive_;
};

/// Throws Error when it cannot be written.
void WriteCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network,
                     const StepOptimizer& optimizer, const RunState& state);

}  // namespace bitplan
