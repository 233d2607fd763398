#include "train/train_checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/serialize/archive.h>

#include <sstream>
#include <system_error>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "data/decode/checkpoint_archive.h"

namespace bitplan {

namespace {

constexpr std::int64_t kCurveColumns = 6;

at::Tensor TableOf(const std::vector<TrainEpoch>& curve) {
  std::vector<double> numbers;
  for (const TrainEpoch& row : curve)
    numbers.insert(numbers.end(), {static_cast<double>(row.epoch), row.learning_rate, row.loss, row.accuracy,
                                   row.held_out_loss, row.held_out_accuracy});
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

/// Long values, a plan, are not for a message.
std::string Difference(const std::string& there, const std::string& here) {
  constexpr std::size_t kLongest = 64;
  return there.size() > kLongest || here.size() > kLongest ? "" : fmt::format(": {} there, {} here", there, here);
}

/// What outputs are compared as and which labels are ignored; nothing of classes along axis 1.
std::string Unusual(const Dataset& data, const Criterion& criterion) {
  std::string text;
  if (criterion.outputs != OutputKind::Classes || criterion.class_axis != 1)
    text += fmt::format(", {} along {}", ToString(criterion.outputs), criterion.class_axis);
  if (!data.ignored_labels().empty()) text += fmt::format(", without {}", fmt::join(data.ignored_labels(), ","));
  return text;
}

}  // namespace

RunSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data, const Criterion& criterion,
                     const TrainOptions& o) {
  const std::string schedule = fmt::format("{} {} {} {} {}", ToString(o.schedule), fmt::join(o.step_epochs, ","),
                                           o.step_factor, o.warm_up_steps, o.epochs);
  return {{"model", network.float_network().weights_sha256()},
          {"plan", ToJson(plan)},
          {"data", fmt::format("{} {}", data.size(), data.sha256())},
          {"normalization", fmt::format("{} {}", fmt::join(data.mean(), ","), fmt::join(data.std(), ","))},
          {"methods", fmt::format("{} {}", ToString(o.method), ToString(o.activation_method.value_or(o.method)))},
          {"batch norm", std::string(ToString(o.batch_norm))},
          {"optimizer", fmt::format("{} {} {} {} {}", ToString(o.optimizer), o.learning_rate, o.momentum,
                                    o.weight_decay, o.clip_norm)},
          {"schedule", schedule},
          {"batches", fmt::format("{} {} {}", o.batch_size, o.crop_padding, o.flip)},
          {"distillation", fmt::format("{} {}{}", o.distillation, o.temperature, Unusual(data, criterion))},
          {"frozen layers", fmt::format("{}", fmt::join(o.freeze, ","))},
          {"gradual scheme", fmt::format("{} {} {}", fmt::join(o.incremental, ","), fmt::join(o.stages, ","), o.widen)},
          {"samples", fmt::format("{} {}", o.held_out, o.calibration_samples)},
          {"seed", std::to_string(o.seed)}};
}

std::optional<Checkpoint> Checkpoint::Open(const TrainOptions& options, const RunSubject& subject) {
  std::error_code ignored;
  if (options.checkpoint.empty() || !std::filesystem::exists(options.checkpoint, ignored)) return std::nullopt;
  decode::RequireWholeCheckpoint(options.checkpoint, "a training run");
  Checkpoint checkpoint(options.checkpoint.string());
  RunSubject there;
  try {
    checkpoint.archive_.load_from(checkpoint.file_);
    for (const auto& [name, value] : subject)
      there.emplace_back(name, ReadValue<std::string>(checkpoint.archive_, "of_" + name));
  } catch (const std::exception&) {
    throw Error(
        fmt::format("{}: is no checkpoint of a training run; remove it or name another file", checkpoint.file_));
  }
  for (std::size_t i = 0; i < subject.size(); ++i)
    if (there[i].second != subject[i].second)
      throw Error(fmt::format("{}: is of a run with another {}{}; remove the file to start anew", checkpoint.file_,
                              subject[i].first, Difference(there[i].second, subject[i].second)));
  return checkpoint;
}

template <typename Read>
void Checkpoint::Reading(const Read& read) {
  try {
    read();
  } catch (const std::exception&) {
    throw Error(fmt::format("{}: is damaged; remove it to start anew", file_));
  }
}

RunState Checkpoint::State() {
  RunState state;
  Reading([&] {
    state.stage = ReadValue<std::int64_t>(archive_, "stage");
    state.epoch = ReadValue<std::int64_t>(archive_, "epoch");
    state.step = ReadValue<std::int64_t>(archive_, "step");
    state.loss_sum = ReadValue<double>(archive_, "loss_sum");
    state.right = ReadValue<std::int64_t>(archive_, "right");
    state.predictions = ReadValue<std::int64_t>(archive_, "predictions");
    state.best_epoch = ReadValue<std::int64_t>(archive_, "best_epoch");
    state.best_loss = ReadValue<double>(archive_, "best_loss");
    at::Tensor table;
    archive_.read("curve", table);
    state.curve = CurveOf(table);
  });
  return state;
}

void Checkpoint::Restore(TrainedNetwork& network, StepOptimizer& optimizer, RunState& state) {
  const at::NoGradGuard no_grad;
  Reading([&] {
    const std::vector<TrainedTensor> tensors = network.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      at::Tensor value, best;
      archive_.read(fmt::format("value{}", i), value);
      archive_.read(fmt::format("best{}", i), best);
      at::Tensor(tensors[i].value).copy_(value);
      state.best.push_back(best);
    }
    torch::serialize::InputArchive of_optimizer;
    archive_.read("optimizer", of_optimizer);
    optimizer.Load(of_optimizer);
  });
}

void WriteCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network,
                     const StepOptimizer& optimizer, const RunState& state) {
  if (options.checkpoint.empty()) return;
  torch::serialize::OutputArchive archive;
  for (const auto& [name, value] : subject) archive.write("of_" + name, c10::IValue(value));
  archive.write("stage", c10::IValue(state.stage));
  archive.write("epoch", c10::IValue(state.epoch));
  archive.write("step", c10::IValue(state.step));
  archive.write("loss_sum", c10::IValue(state.loss_sum));
  archive.write("right", c10::IValue(state.right));
  archive.write("predictions", c10::IValue(state.predictions));
  archive.write("best_epoch", c10::IValue(state.best_epoch));
  archive.write("best_loss", c10::IValue(state.best_loss));
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
