#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "bitplan/train_method.h"

namespace bitplan {

/// How a batch norm that follows a layer is trained, where the plan was made for folded ones: the five ways compared by
/// MQBench (Li et al., NeurIPS Datasets and Benchmarks 2021, section 3.2). ŵ is the quantized weight; γ, β a norm's
/// scale and offset; μ, σ² its running statistics, μ_B, σ_B² those of a batch. All are deployed as Q(w γ/σ), β + (b −
/// μ) γ/σ.
enum class BatchNormFolding {
  Folded,           ///< folded and gone: the folded weight and bias are what is trained
  Frozen,           ///< folded with μ and σ as they are; w, γ and β are trained
  TwoConvolutions,  ///< a first product with w gives μ_B and σ_B, a second one is with Q(w γ/σ_B) (Jacob et al., CVPR
                    ///< 2018, section 3.2)
  Smoothed,         ///< the second one with Q(w γ/σ), its result times σ/σ_B: the weight does not jitter with the batch
                    ///< (Krishnamoorthi, arXiv 1806.08342, section 3.2.2)
  Rescaled,  ///< one product with Q(w γ/σ), its result divided by γ/σ again, then an ordinary batch norm (PyTorch)
};

enum class OptimizerKind {
  Sgd,   ///< with momentum
  Adam,  ///< Kingma and Ba 2015, β = (0.9, 0.999), ε = 1e-8
};

enum class LearningRateSchedule {
  Constant,
  Cosine,  ///< half a cosine from the learning rate to 0 (Loshchilov and Hutter 2017), every step
  Step,    ///< times `step_factor` at the begin of each of `step_epochs`
};

struct TrainOptions {
  TrainingMethod method = TrainingMethod::Lsq;               ///< of weights, see MethodForWeights
  std::optional<TrainingMethod> activation_method = {};      ///< of inputs and operands; without it `method`
  BatchNormFolding batch_norm = BatchNormFolding::Rescaled;  ///< of no account where the plan keeps batch norm
  std::int64_t epochs = 10;                                  ///< ≥ 1
  std::int64_t batch_size = 128;  ///< ≥ 1; samples left over at the end of an epoch are not used in it
  OptimizerKind optimizer = OptimizerKind::Sgd;
  double learning_rate = 0.003;  ///< > 0, of the first step after the warm-up
  double momentum = 0.9;         ///< of SGD, in [0, 1)
  double weight_decay = 1e-4;    ///< ≥ 0, of all parameters of the network; quantizers have their own
  LearningRateSchedule schedule = LearningRateSchedule::Cosine;
  std::vector<std::int64_t> step_epochs = {};  ///< of LearningRateSchedule::Step, rising, counted from 0
  double step_factor = 0.1;                    ///< in (0, 1]
  std::int64_t warm_up_steps = 0;  ///< ≥ 0; so many in which the rate rises in a straight line, before the schedule
  double clip_norm = 0;            ///< largest Euclidean norm of all gradients together; 0: any
  std::int64_t crop_padding = 0;   ///< ≥ 0; images are cut out at random with so many black pixels around them
  bool flip = false;               ///< every other image, at random, is mirrored left to right
  /// Share of the divergence from the float network in the loss, in [0, 1]; the rest is cross entropy with labels. 1:
  /// no labels are needed, and images that the network was trained on still teach: their labels it knows already.
  /// Outputs that are no classes have other losses: see `loss`.
  double distillation = 1;
  /// Says what outputs are where neither labels nor shape do (ResolveLoss): classes are trained by cross entropy and
  /// KL; yes or no by binary cross entropy and KL; values by squared errors.
  Loss loss = Loss::Auto;
  double temperature = 4;  ///< > 0, of that divergence (Hinton et al. 2015)
  /// Incremental quantization (Zhou et al. 2017) in the place of `method`: the portions of the weights, largest first,
  /// that lie on the grid for good, ascending to 1; phases share the epochs alike, and an epoch of the last one is
  /// kept. Needs batch norm that is folded and gone.
  std::vector<double> incremental = {};
  /// Widths, descending, below which no weight, input or operand falls in stages before the last, which has the plan's
  /// own; stages share the epochs alike, each begins with new quantizers and a new optimizer, and an epoch of the last
  /// one is kept. Not with `incremental`.
  std::vector<int> stages = {};
  /// Copies of every hidden channel that the network gets before training, with the same output: wider networks stand
  /// fewer bits (Mishra et al., "WRPN", ICLR 2018). 1: the network as it is. Throws Error where the graph does not
  /// allow it; layers keep their names, so the plan stays.
  std::int64_t widen = 1;
  std::vector<std::string> freeze = {};  ///< layers that stay as they are, quantized: names or patterns, as in Pin
  /// Share of the data that is not trained on, in [0, 1); the epoch with the least loss on it is kept; 0: the last one.
  double held_out = 0.1;
  std::int64_t calibration_samples = 512;  ///< ≥ 1; what quantizers of inputs look at before the first step
  std::uint64_t seed = 0;                  ///< of every draw
  /// What may be held on top of the float network and the data, > 0. A step's batch cannot be taken in parts: where it
  /// takes more, Error says so before the first step.
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  /// Whether TrainResult::state is wanted: the model file's state, trained, batch norm unfolded, in the file's types.
  bool state_dict = false;
  /// A file that keeps the run, written after every epoch and when `progress` ends it; found there, of the same run, it
  /// is gone on from, to the same bytes as without a break. Empty: none.
  std::filesystem::path checkpoint = {};
  ProgressCallback progress = {};  ///< after every step; may throw, which ends the run

  void Validate() const;  ///< throws Error
};

/// One row of the learning curve; epoch 0 is the plan as it was before the first step. NaN where there is no such
/// number.
struct TrainEpoch {
  std::int64_t epoch = 0;
  double learning_rate = 0;  ///< of the epoch's last step
  double loss = 0;           ///< what was minimized, mean over the epoch's steps
  double accuracy = 0;       ///< share of the epoch's samples that were right, as they were trained on
  double held_out_loss = 0;  ///< on the data held out, of the network as it is deployed
  double held_out_accuracy = 0;
};

/// Where training broke off. No Error: the input is sound, and the best epoch so far is there.
struct Divergence {
  std::int64_t epoch = 0, step = 0;  ///< counted from 1
  std::string what;                  ///< "the loss is nan", "the gradient of 'conv1.weight' is not finite"
};

struct TrainResult {
  Network network;         ///< the trained float network, as loaded from `model_file`
  std::string model_file;  ///< a TorchScript file: batch norm folded where the plan has it so, layers named as before
  Plan plan;               ///< the plan with its learned grids and ranges, of that file
  QuantizedNetwork quantized;  ///< the two together
  std::vector<TrainEpoch> curve;
  std::int64_t best_epoch = 0;  ///< the row of the curve that all this is of
  std::optional<Divergence> diverged;
  std::vector<Parameter> state = {};  ///< the trained module's, as ModelState says of its file; with `state_dict`
};

/// Trains a network under a plan, as it computes when quantized: those of its parameters that are trainable. `network`
/// stays as it is. It is loaded with batch norm unfolded (NetworkOptions::fold_batch_norm off), whatever the plan has,
/// but for BatchNormFolding::Folded, which takes either; and with operand_sites where the plan has operands. The plan's
/// corrections are left out: training takes their place.
///
/// Equal inputs and numbers of threads give equal bytes. Throws Error: a network that was saved frozen, without
/// trainable parameters; one whose batch norms are folded and have to be trained, kept or widened; a plan of another
/// model; a method that suits no layer; a pattern that names no layer; data that does not fit the network, or is too
/// small; a checkpoint that is none, or of another run (what differs is named).
TrainResult Train(const Network& network, const Plan& plan, const Dataset& data, const TrainOptions& options = {});

/// The method that trains a tensor of this format when `method` was asked for: `method` where it suits the format, else
/// LSQ for integers, BWN for binary, TWN for ternary values, and fixed ranges for the rest. So a network can have its
/// first and last layer in 8 bits around ternary ones.
TrainingMethod MethodForWeights(TrainingMethod method, const Format& format);
TrainingMethod MethodForInputs(TrainingMethod method, const Format& format);

/// A row an epoch.
std::string ToCsv(const std::vector<TrainEpoch>& curve);

/// Loss and accuracy of training and of what was held out. Throws Error without epochs.
std::string ToSvg(const std::vector<TrainEpoch>& curve);

/// Names used on the command line: "folded", "two-convolutions", "sgd", "cosine", …; the parsers throw Error listing
/// them.
std::string_view ToString(BatchNormFolding folding);
std::string_view ToString(OptimizerKind optimizer);
std::string_view ToString(LearningRateSchedule schedule);
BatchNormFolding ParseBatchNormFolding(std::string_view text);
OptimizerKind ParseOptimizer(std::string_view text);
LearningRateSchedule ParseLearningRateSchedule(std::string_view text);

}  // namespace bitplan
