#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "draws.h"
#include "run_state.h"
#include "step_optimizer.h"
#include "train_checkpoint.h"
#include "trained_network.h"
#include "training_data.h"

namespace bitplan::train {

/// Training from the first step, or from a checkpoint, to the last epoch.
class TrainingRun {
 public:
  /// `dataset` and `options` are kept by reference. Throws Error as Train does.
  TrainingRun(const Network& network, const Plan& plan, const Dataset& dataset, const TrainOptions& options);

  /// Where it broke off, if it did.
  std::optional<Divergence> Run();

  /// The network of the best epoch.
  TrainedNetwork& Best();

  const RunState& state() const { return state_; }

 private:
  /// Throws Error where a pass over a batch, or a step, takes more than the memory limit leaves. What the first
  /// observes on the way is forgotten by PrepareStage.
  void RequireForwardFits();
  void RequireStepFits();

  /// New quantizers for the stage's formats, and an optimizer for what is then learned.
  void PrepareStage();

  /// Gradual schemes go on here. What came before a change of theirs is no network of the plan's, and does not compete.
  void BeginEpoch();

  /// A run that is ended here goes on from here.
  void ReportStep();

  /// What is not finite, if something is not.
  std::optional<std::string> Step();

  double Rate() const;
  void FinishEpoch();

  /// Measures the network on what is held out, keeps it if it is the best, and writes the checkpoint.
  void EndEpoch(TrainEpoch row);

  void Keep(std::int64_t epoch, double loss);
  void WriteCheckpoint();

  /// Mean loss, and share of right predictions, of the network as deployed.
  std::pair<double, double> HeldOut();

  const TrainOptions& options_;
  TrainedNetwork network_;
  TrainingData data_;
  Criterion criterion_;
  files::JournalSubject subject_;
  files::Journal checkpoint_;
  DefaultGenerator draws_;
  std::optional<StepOptimizer> optimizer_;
  std::vector<Plan> stages_;
  RunState state_;
};

}  // namespace bitplan::train
