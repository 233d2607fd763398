#include "training_run.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bitplan/error.h"
#include "learning_rate.h"
#include "network/derivatives.h"
#include "process/memory_limit.h"
#include "training_loss.h"
#include "training_methods/bit_stages.h"
#include "training_methods/incremental_weight.h"

namespace bitplan::train {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

Criterion SettledLoss(const Network& network, const Dataset& data, const TrainOptions& options) {
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  if (criterion.module && options.distillation >= 1)
    throw Error("there is a loss module, and training goes towards the float network alone; give distillation below 1");
  if (!criterion.ReadsLabels() && options.distillation < 1)
    throw Error(
        fmt::format("the data has no labels{}; give some, or train towards the float network alone "
                    "(distillation 1)",
                    data.has_labels() ? " that fit the network's output" : ""));
  return criterion;
}

void RequireBatch(std::int64_t batch, std::int64_t fitting, const TrainOptions& options) {
  if (fitting >= batch) return;
  throw Error(
      fmt::format("a batch of {} samples takes more than the {} MiB of memory that are left for it; {} fit: give more "
                  "memory, or a batch size of {}",
                  batch, options.memory_bytes >> 20, fitting, fitting));
}

/// Beside a step: what is trained, the best epoch's network, what the optimizer remembers, and what is made while no
/// step is: the checkpoint, and in the end the model's file, the network loaded from it, and its quantized weights and
/// codes.
std::int64_t HeldBytes(const Network& network, const TrainOptions& options) {
  std::int64_t bytes = 0;
  for (const Parameter& parameter : network.parameters())
    if (parameter.value.is_floating_point()) bytes += static_cast<std::int64_t>(parameter.value.nbytes());
  const std::int64_t remembered = options.optimizer == OptimizerKind::Adam ? 2 : 1;
  constexpr std::int64_t kDeployed = 4;
  return bytes * (2 + remembered + std::max(kDeployed, options.checkpoint.empty() ? 0 : 2 * (2 + remembered)));
}

/// Before anything is made of it.
const Network& Fitting(const Network& network, const TrainOptions& options) {
  process::CheckOneSampleFits(HeldBytes(network, options), options.memory_bytes, "training, whatever the batch,");
  return network;
}

}  // namespace

TrainingRun::TrainingRun(const Network& network, const Plan& plan, const Dataset& dataset, const TrainOptions& options)
    : options_(options),
      network_(Fitting(network, options), plan, options),
      data_(network_.float_network(), dataset, options),
      criterion_(SettledLoss(network_.float_network(), dataset, options)),
      subject_(SubjectOf(network_, plan, dataset, criterion_, options)),
      draws_(at::Device(network_.float_network().device())),
      stages_(training_methods::PlansInStages(plan, options.stages)) {
  if (std::ssize(stages_) > options_.epochs)
    throw Error(fmt::format("{} stages need as many epochs, not {}", stages_.size(), options_.epochs));
}

std::optional<Divergence> TrainingRun::Run() {
  if (!options_.checkpoint.empty()) checkpoint_ = files::Journal(options_.checkpoint, subject_);
  const bool goes_on = !checkpoint_.empty();
  if (goes_on) state_ = ReadState(checkpoint_);
  RequireForwardFits();
  PrepareStage();
  if (goes_on) Restore(checkpoint_, network_, *optimizer_, state_);
  RequireStepFits();
  if (state_.curve.empty()) EndEpoch({.epoch = 0, .learning_rate = kUnknown, .loss = kUnknown, .accuracy = kUnknown});
  while (state_.epoch < options_.epochs) {
    if (state_.step == 0) BeginEpoch();
    while (state_.step < data_.steps_an_epoch()) {
      ReportStep();
      if (const auto what = Step()) return Divergence{state_.epoch + 1, state_.step + 1, *what};
    }
    FinishEpoch();
  }
  return std::nullopt;
}

TrainedNetwork& TrainingRun::Best() {
  const at::NoGradGuard no_grad;
  const std::vector<TrainedTensor> tensors = network_.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) at::Tensor(tensors[i].value).copy_(state_.best[i]);
  return network_;
}

void TrainingRun::RequireForwardFits() {
  const at::NoGradGuard no_grad;
  const std::int64_t batch = data_.LargestBatch();
  const auto observe = [&](std::int64_t count) { network_.Observe(data_.First(count).inputs); };
  RequireBatch(batch, process::SamplesAPass(batch, options_.memory_bytes, 0, observe, options_.memory_bytes), options_);
}

/// Tried out on ever more samples. What a step changes on the way is put back.
void TrainingRun::RequireStepFits() {
  std::vector<at::Tensor> before;
  for (const TrainedTensor& tensor : network_.tensors()) before.push_back(tensor.value.detach().clone());
  const std::int64_t batch = data_.LargestBatch(), unit = std::min<std::int64_t>(batch, 2);  // norms need two samples
  const auto step = [&](std::int64_t units) {
    const Batch samples = data_.First(units * unit);
    const at::AutoGradMode with_gradient(true);
    LossOf(criterion_, network_.Forward(samples.inputs, true), samples, network_.float_network(), options_)
        .loss.backward();
    optimizer_->ClearGradients();
  };
  const std::int64_t held = HeldBytes(network_.float_network(), options_);
  const std::int64_t units =
      process::SamplesAPass(batch / unit, options_.memory_bytes, held, step, options_.memory_bytes);
  const at::NoGradGuard no_grad;
  const std::vector<TrainedTensor> tensors = network_.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) at::Tensor(tensors[i].value).copy_(before[i]);
  RequireBatch(batch, std::min(batch, units == batch / unit ? batch : units * unit), options_);
}

void TrainingRun::PrepareStage() {
  network_.ChangeFormats(stages_[static_cast<std::size_t>(state_.stage)]);
  const auto batches = data_.Calibration();
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Report(options_.progress, "activation ranges", static_cast<std::int64_t>(i), std::ssize(batches));
    network_.Observe(data_.Get(batches[i]).inputs);
  }
  network_.Finish();
  optimizer_.emplace(options_, network_.tensors());
}

void TrainingRun::BeginEpoch() {
  const auto stage =
      static_cast<std::int64_t>(training_methods::StageAt(state_.epoch, options_.epochs, stages_.size()));
  bool changed = stage != state_.stage;
  if (changed) {
    state_.stage = stage;
    PrepareStage();
  }
  if (!options_.incremental.empty()) {
    const training_methods::IncrementalSchedule schedule{options_.incremental};
    const double portion = schedule.PortionAt(state_.epoch, options_.epochs);
    changed = state_.epoch == 0 || portion != schedule.PortionAt(state_.epoch - 1, options_.epochs);
    network_.QuantizeLargest(portion);
  }
  if (changed) Keep(state_.epoch, std::numeric_limits<double>::infinity());
}

void TrainingRun::Keep(std::int64_t epoch, double loss) {
  state_.best_epoch = epoch;
  state_.best_loss = loss;
  state_.best.clear();
  for (const TrainedTensor& tensor : network_.tensors()) state_.best.push_back(tensor.value.detach().clone());
}

void TrainingRun::WriteCheckpoint() {
  if (!options_.checkpoint.empty()) checkpoint_.Replace(StepsOf(network_, *optimizer_, state_));
}

void TrainingRun::ReportStep() {
  const std::int64_t an_epoch = data_.steps_an_epoch();
  try {
    Report(options_.progress, "training", state_.epoch * an_epoch + state_.step, options_.epochs * an_epoch);
  } catch (...) {
    WriteCheckpoint();
    throw;
  }
}

std::optional<std::string> TrainingRun::Step() {
  const auto seed = DrawSeed(options_.seed, DrawKind::Step, state_.epoch, state_.step);
  draws_.Seed(seed);
  network_.Seed(seed);
  const Batch batch = data_.Step(state_.epoch, state_.step);
  const at::AutoGradMode with_gradient(true);
  optimizer_->ClearGradients();
  const BatchLoss batch_loss =
      LossOf(criterion_, network_.Forward(batch.inputs, true), batch, network_.float_network(), options_);
  const auto loss = batch_loss.loss.item<double>();
  if (!std::isfinite(loss)) return fmt::format("the loss is {}", std::isnan(loss) ? "nan" : loss > 0 ? "inf" : "-inf");
  network::Differentiate(network_.float_network(), [&] { batch_loss.loss.backward(); });
  if (const auto name = optimizer_->Step(Rate())) return fmt::format("the gradient of '{}' is not finite", *name);
  network_.AfterStep();
  state_.loss_sum += loss;
  state_.right += batch_loss.right;
  state_.predictions += batch_loss.predictions;
  ++state_.step;
  return std::nullopt;
}

double TrainingRun::Rate() const {
  return LearningRate(options_, state_.epoch * data_.steps_an_epoch() + state_.step, data_.steps_an_epoch());
}

void TrainingRun::FinishEpoch() {
  --state_.step;  // the rate of the last step
  TrainEpoch row{.epoch = state_.epoch + 1, .learning_rate = Rate()};
  row.loss = state_.loss_sum / static_cast<double>(data_.steps_an_epoch());
  row.accuracy =
      state_.predictions > 0 ? static_cast<double>(state_.right) / static_cast<double>(state_.predictions) : kUnknown;
  ++state_.epoch;
  state_.step = state_.right = state_.predictions = 0;
  state_.loss_sum = 0;
  EndEpoch(row);
}

void TrainingRun::EndEpoch(TrainEpoch row) {
  std::tie(row.held_out_loss, row.held_out_accuracy) = HeldOut();
  const bool is_first = state_.curve.empty();
  if (is_first || data_.HeldOut().empty() || row.held_out_loss < state_.best_loss) Keep(row.epoch, row.held_out_loss);
  state_.curve.push_back(row);
  WriteCheckpoint();
}

std::pair<double, double> TrainingRun::HeldOut() {
  const at::NoGradGuard no_grad;
  double loss = 0;
  std::int64_t samples = 0, right = 0, predictions = 0;
  for (const std::vector<std::int64_t>& each : data_.HeldOut()) {
    const Batch batch = data_.Get(each);
    const BatchLoss of_batch =
        LossOf(criterion_, network_.Forward(batch.inputs, false), batch, network_.float_network(), options_);
    loss += of_batch.loss.item<double>() * static_cast<double>(each.size());
    samples += std::ssize(each);
    right += of_batch.right;
    predictions += of_batch.predictions;
  }
  return {samples > 0 ? loss / static_cast<double>(samples) : kUnknown,
          predictions > 0 ? static_cast<double>(right) / static_cast<double>(predictions) : kUnknown};
}

}  // namespace bitplan::train
