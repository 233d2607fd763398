#include "train_options.h"

#include <fmt/format.h>

#include <vector>

#include "number_option.h"
#include "options.h"
#include "values.h"

namespace bitplan::cli {

namespace {

const TrainOptions& Defaults() {
  static const TrainOptions defaults;
  return defaults;
}

/// 50%,100% as 0.5, 1.
std::vector<double> Shares(const CommandLine& line, const std::string& option) {
  std::vector<double> shares = ParsePercents(option, line.Get<std::string>(option));
  for (double& share : shares) share /= 100;
  return shares;
}

void AddMethodOptions(CommandLine& line) {
  line.Add({
      {"method", EnumOr(Defaults().method), "of weights, those that it suits"},
      {"activation-method", EnumOf<TrainingMethod>("NAME"),
       "of layers' inputs, those that it suits; without it as --method, one of"},
      {"batch-norm", EnumOr(Defaults().batch_norm), "of norms that follow layers"},
      {"incremental", Percentages(Percent(false, true))->value_name("P%,P%,…"),
       "in place of --method: portions of the weights, largest first, that are put on the grid for good, phase by "
       "phase: 50%,75%,87.5%,100%"},
      {"stages", Integers(StageWidth())->value_name("BITS,BITS"),
       "lower all widths in stages, 8,6: first none below 8, then none below 6, then the plan's"},
      {"widen", Number<std::int64_t>(WholeFrom(1), Defaults().widen),
       "copies of every hidden channel that the network gets first, its output the same"},
      {"freeze", Texts("LAYERS"), "leave layers as they are, quantized: a name, first, last, a pattern or an operator"},
      {"distillation", Number<double>(NumberWithin(0, 1), Defaults().distillation),
       "share of the divergence from the float network in the loss; the rest is the loss of the labels"},
      {"temperature",
       Number<double>(NumberAbove(0), Defaults().temperature),
       "of that divergence",
       {{"distillation", {"0"}, true}}},
  });
}

void AddOptimizerOptions(CommandLine& line) {
  const OfWhat of_step{{"schedule", {std::string(ToString(LearningRateSchedule::Step))}}};
  line.Add({
      {"epochs", Number<std::int64_t>(WholeFrom(1), Defaults().epochs), "passes over the data"},
      {"optimizer", EnumOr(Defaults().optimizer), "what makes a step of gradients"},
      {"learning-rate", Number<double>(NumberAbove(0), Defaults().learning_rate),
       "of the first step after the warm-up"},
      {"momentum",
       Number<double>(NumberFromBelow(0, 1), Defaults().momentum),
       "of the gradients",
       {{"optimizer", {std::string(ToString(OptimizerKind::Sgd))}}}},
      {"weight-decay", Number<double>(NumberFrom(0), Defaults().weight_decay), "of the network's parameters"},
      {"schedule", EnumOr(Defaults().schedule), "of the learning rate"},
      {"step-epochs", Integers(WholeFrom(1))->value_name("N,N"), "after so many epochs the rate drops", of_step},
      {"step-factor", Number<double>(NumberAboveUpTo(0, 1), Defaults().step_factor), "by this factor", of_step},
      {"warm-up", Number<std::int64_t>(WholeFrom(0), Defaults().warm_up_steps), "steps in which the rate rises first"},
      {"clip-norm", Number<double>(NumberFrom(0), Defaults().clip_norm),
       "largest norm of all gradients together; 0: any"},
  });
}

void AddDataOptions(CommandLine& line) {
  line.Add({
      {"batch-size", Number<std::int64_t>(WholeFrom(1), Defaults().batch_size), "samples a step"},
      {"crop-padding", Number<std::int64_t>(WholeFrom(0), Defaults().crop_padding),
       "images are cut out at random after so many black pixels were put around them; 0: not"},
      {"flip", Flag(), "images are mirrored at random"},
      {"held-out",
       OnePercentage(Percent(true, false, "which would leave nothing to train on; 10% is usual"))
           ->default_value(fmt::format("{}%", 100 * Defaults().held_out)),
       "share of the data that is not trained on but decides which epoch is kept; 0%: the last is"},
      {"calibration-samples", Number<std::int64_t>(WholeFrom(1), Defaults().calibration_samples),
       "that layers' inputs are looked at for before the first step"},
  });
}

}  // namespace

void AddTrainOptions(CommandLine& line) {
  AddLossOption(line);
  AddMethodOptions(line);
  AddOptimizerOptions(line);
  AddDataOptions(line);
}

TrainOptions ReadTrainOptions(const CommandLine& line) {
  TrainOptions options;
  options.method = line.GetEnum<TrainingMethod>("method");
  if (line.Has("activation-method")) options.activation_method = line.GetEnum<TrainingMethod>("activation-method");
  options.batch_norm = line.GetEnum<BatchNormFolding>("batch-norm");
  if (line.Has("incremental")) options.incremental = Shares(line, "incremental");
  if (line.Has("stages")) options.stages = ParseIntegers("stages", line.Get<std::string>("stages"));
  options.widen = line.Get<std::int64_t>("widen");
  options.freeze = line.List("freeze");
  options.distillation = line.Get<double>("distillation");
  options.temperature = line.Get<double>("temperature");
  options.loss = ReadLossOption(line);
  options.epochs = line.Get<std::int64_t>("epochs");
  options.optimizer = line.GetEnum<OptimizerKind>("optimizer");
  options.learning_rate = line.Get<double>("learning-rate");
  options.momentum = line.Get<double>("momentum");
  options.weight_decay = line.Get<double>("weight-decay");
  options.schedule = line.GetEnum<LearningRateSchedule>("schedule");
  if (line.Has("step-epochs"))
    for (const int epoch : ParseIntegers("step-epochs", line.Get<std::string>("step-epochs")))
      options.step_epochs.push_back(epoch);
  options.step_factor = line.Get<double>("step-factor");
  options.warm_up_steps = line.Get<std::int64_t>("warm-up");
  options.clip_norm = line.Get<double>("clip-norm");
  options.batch_size = line.Get<std::int64_t>("batch-size");
  options.crop_padding = line.Get<std::int64_t>("crop-padding");
  options.flip = line.Get<bool>("flip");
  options.held_out = ParsePercent("held-out", line.Get<std::string>("held-out")) / 100;
  options.calibration_samples = line.Get<std::int64_t>("calibration-samples");
  options.seed = line.Get<std::uint64_t>("seed");
  options.Validate();
  return options;
}

}  // namespace bitplan::cli
