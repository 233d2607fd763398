#include "train_checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "data/options_fields.h"
#include "files/tensor_steps.h"
#include "network/options_fields.h"
#include "options_fields.h"

namespace bitplan::train {

namespace {

constexpr std::size_t kCurveColumns = 6;

std::vector<double> TableOf(const std::vector<TrainEpoch>& curve) {
  std::vector<double> numbers;
  for (const TrainEpoch& row : curve)
    numbers.insert(numbers.end(), {static_cast<double>(row.epoch), row.learning_rate, row.loss, row.accuracy,
                                   row.held_out_loss, row.held_out_accuracy});
  return numbers;
}

std::vector<TrainEpoch> CurveOf(const std::vector<double>& table) {
  std::vector<TrainEpoch> curve;
  for (const double* at = table.data(); at < table.data() + table.size(); at += kCurveColumns)
    curve.push_back({static_cast<std::int64_t>(at[0]), at[1], at[2], at[3], at[4], at[5]});
  return curve;
}

}  // namespace

files::JournalSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data,
                                const Criterion& criterion, const TrainOptions& options) {
  // Steps are the same whatever the memory, or there are none.
  files::Json subject = files::OptionsJson(options, {"checkpoint", "progress", "memory_bytes", "state_dict"});
  subject["samples"] = data.size();
  subject["network"] = files::IdentityOf(network.float_network());
  subject["data"] = files::IdentityOf(data);
  subject["criterion"] = {{"outputs", ToString(criterion.outputs)},
                          {"class_axis", criterion.class_axis},
                          {"labelled", criterion.labelled},
                          {"module", criterion.module ? criterion.module->sha256() : ""}};
  subject["plan"] = files::Json::parse(ToJson(plan));
  return {"a training run", subject.dump(-1, ' ', false, files::Json::error_handler_t::replace)};
}

files::JournalSteps StepsOf(TrainedNetwork& network, const StepOptimizer& optimizer, const RunState& state) {
  files::JournalSteps steps;
  steps.Add<std::int64_t>("place",
                          {state.stage, state.epoch, state.step, state.right, state.predictions, state.best_epoch});
  steps.Add<double>("losses", {state.loss_sum, state.best_loss});
  steps.Add("curve", TableOf(state.curve));
  const std::vector<TrainedTensor> tensors = network.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    files::AddTensor(steps, fmt::format("value {}", i), tensors[i].value);
    files::AddTensor(steps, fmt::format("best {}", i), state.best[i]);
  }
  files::AddArchive(steps, "optimizer", optimizer);
  return steps;
}

RunState ReadState(const files::Journal& checkpoint) {
  RunState state;
  const std::vector<std::int64_t> place = checkpoint.Get<std::int64_t>("place", 6);
  state.stage = place[0];
  state.epoch = place[1];
  state.step = place[2];
  state.right = place[3];
  state.predictions = place[4];
  state.best_epoch = place[5];
  const std::vector<double> losses = checkpoint.Get<double>("losses", 2);
  state.loss_sum = losses[0];
  state.best_loss = losses[1];
  state.curve = CurveOf(checkpoint.Rows<double>("curve", kCurveColumns));
  return state;
}

void Restore(const files::Journal& checkpoint, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state) {
  const at::NoGradGuard no_grad;
  const std::vector<TrainedTensor> tensors = network.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor(tensors[i].value).copy_(files::ReadTensor(checkpoint, fmt::format("value {}", i), tensors[i].value));
    state.best.push_back(files::ReadTensor(checkpoint, fmt::format("best {}", i), tensors[i].value));
  }
  files::ReadArchive(checkpoint, "optimizer", optimizer);
}

}  // namespace bitplan::train
