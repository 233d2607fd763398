#include "train/train_checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <sstream>
#include <system_error>

#include "bitplan/error.h"
#include "bitplan/files.h"

namespace bitplan {

namespace {

constexpr std::int64_t kCurveColumns = 6;

at::Tensor TableOf(const std::vector<TrainEpoch>& curve) {
  std::vector<double> numbers;
  for (const TrainEpoch& row : curve)
    numbers.insert(numbers.end(), {static_cast<double>(row.epoch), row.learning_rate, row.loss, row.accuracy, row.held_out_loss, row.held_out_accuracy});
  return at::tensor(numbers, at::kDouble).view({-1, kCurveColumns});
}

std::vector<TrainEpoch> CurveOf(const at::Tensor& table) {
  std::vector<TrainEpoch> curve;
  const auto* at = table.const_data_ptr<double>();
  for (std::int64_t i = 0; i < table.size(0); ++i, at += kCurveColumns)
    curve.push_back({static_cast<std::int64_t>(at[0]), at[1], at[2], at[3], at[4], at[5]});
  return curve;
}

template <typename Value>
Value ReadValue(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  return value.to<Value>();
}

void ReadState(torch::serialize::InputArchive& archive, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state) {
  const at::NoGradGuard no_grad;
  state.epoch = ReadValue<std::int64_t>(archive, "epoch");
  state.step = ReadValue<std::int64_t>(archive, "step");
  state.loss_sum = ReadValue<double>(archive, "loss_sum");
  state.right = ReadValue<std::int64_t>(archive, "right");
  state.predictions = ReadValue<std::int64_t>(archive, "predictions");
  state.best_epoch = ReadValue<std::int64_t>(archive, "best_epoch");
  at::Tensor table;
  archive.read("curve", table);
  state.curve = CurveOf(table);
  state.best.clear();
  const std::vector<TrainedTensor> tensors = network.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor value, best;
    archive.read(fmt::format("value{}", i), value);
    archive.read(fmt::format("best{}", i), best);
    at::Tensor(tensors[i].value).copy_(value);
    state.best.push_back(best);
  }
  torch::serialize::InputArchive of_optimizer;
  archive.read("optimizer", of_optimizer);
  optimizer.Load(of_optimizer);
}

/// Long values, a plan, are not for a message.
std::string Difference(const std::string& there, const std::string& here) {
  constexpr std::size_t kLongest = 64;
  return there.size() > kLongest || here.size() > kLongest ? "" : fmt::format(": {} there, {} here", there, here);
}

}  // namespace

RunSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data, const TrainOptions& o) {
  const std::string schedule = fmt::format("{} {} {} {} {}", ToString(o.schedule), fmt::join(o.step_epochs, ","), o.step_factor, o.warm_up_steps, o.epochs);
  return {{"model", network.float_network().sha256()},
          {"plan", ToJson(plan)},
          {"data", fmt::format("{} {}", data.size(), data.sha256())},
          {"normalization", fmt::format("{} {}", fmt::join(data.mean(), ","), fmt::join(data.std(), ","))},
          {"methods", fmt::format("{} {}", ToString(o.method), ToString(o.activation_method.value_or(o.method)))},
          {"batch norm", std::string(ToString(o.batch_norm))},
          {"optimizer", fmt::format("{} {} {} {} {}", ToString(o.optimizer), o.learning_rate, o.momentum, o.weight_decay, o.clip_norm)},
          {"schedule", schedule},
          {"batches", fmt::format("{} {} {}", o.batch_size, o.crop_padding, o.flip)},
          {"distillation", fmt::format("{} {}", o.distillation, o.temperature)},
          {"frozen layers", fmt::format("{}", fmt::join(o.freeze, ","))},
          {"samples", fmt::format("{} {}", o.held_out, o.calibration_samples)},
          {"seed", std::to_string(o.seed)}};
}

void ReadCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state) {
  const std::string file = options.checkpoint.string();
  std::error_code ignored;
  if (file.empty() || !std::filesystem::exists(file, ignored)) return;
  const auto refuse = [&](const std::string& why) { return Error(fmt::format("{}: {}", file, why)); };
  torch::serialize::InputArchive archive;
  RunSubject there;
  try {
    archive.load_from(file);
    for (const auto& [name, value] : subject) there.emplace_back(name, ReadValue<std::string>(archive, "of_" + name));
  } catch (const c10::Error&) {
    throw refuse("is no checkpoint of a training run; remove it or name another file");
  }
  for (std::size_t i = 0; i < subject.size(); ++i)
    if (there[i].second != subject[i].second)
      throw refuse(fmt::format("is of a run with another {}{}; remove the file to start anew", subject[i].first, Difference(there[i].second, subject[i].second)));
  try {
    ReadState(archive, network, optimizer, state);
  } catch (const c10::Error&) {
    throw refuse("is damaged; remove it to start anew");
  }
}

void WriteCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network, const StepOptimizer& optimizer,
                     const RunState& state) {
  if (options.checkpoint.empty()) return;
  torch::serialize::OutputArchive archive;
  for (const auto& [name, value] : subject) archive.write("of_" + name, c10::IValue(value));
  archive.write("epoch", c10::IValue(state.epoch));
  archive.write("step", c10::IValue(state.step));
  archive.write("loss_sum", c10::IValue(state.loss_sum));
  archive.write("right", c10::IValue(state.right));
  archive.write("predictions", c10::IValue(state.predictions));
  archive.write("best_epoch", c10::IValue(state.best_epoch));
  archive.write("curve", TableOf(state.curve));
  const std::vector<TrainedTensor> tensors = network.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    archive.write(fmt::format("value{}", i), tensors[i].value.detach());
    archive.write(fmt::format("best{}", i), state.best[i]);
  }
  torch::serialize::OutputArchive of_optimizer;
  optimizer.Save(of_optimizer);
  archive.write("optimizer", of_optimizer);
  std::ostringstream bytes;
  archive.save_to(bytes);
  WriteFile(options.checkpoint, bytes.str());
}

}  // namespace bitplan
