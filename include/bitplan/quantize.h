#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/cost_table.h"
#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/network.h"
#include "bitplan/pass_limits.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"

namespace bitplan {

struct QuantizedState;

/// Scales that are 8-bit numbers with scales of their own (ScaleType::DoubleQuantized): scale i is
/// offset + block_scale[i / 256] · the E4M3 number that codes[i] stands for.
struct ScaleCodes {
  at::Tensor codes;        ///< uint8, one a scale
  at::Tensor block_scale;  ///< float32, one for each 256 of them, the last for those that are left
  float offset = 0;
};

/// A weight on its grid. `value`, scale · (q − zero_point) of integers and scale · level of other formats with scales,
/// in float32, is what the network computes with. One scale is of the whole tensor, a channel, or a group or block of
/// one: `format` says.
struct QuantizedTensor {
  Format format;
  at::Tensor value;  ///< shape of the weight, float32
  /// Codes in the shape of the weight: of integers int8 (symmetric) or uint8, int16 or int32 at 16 bits; of other
  /// formats with scales uint8 bit patterns in the lowest bits (binary and ternary: the levels numbered from 0);
  /// float16 or bfloat16; undefined for float32.
  at::Tensor q;
  at::Tensor scale;       ///< float32 [1], [channels], or [channels, groups of one]; undefined without scales
  at::Tensor zero_point;  ///< int32, as scale, of integers; undefined otherwise
  at::Tensor threshold;   ///< float32, as scale, of ternary values: magnitudes up to it are 0; undefined otherwise
  at::Tensor
      negative_scale;  ///< float32, as scale, of learned ternary values (TTQ): of the code for −1; undefined: `scale`
  std::optional<ScaleCodes> scale_codes = {};  ///< of double-quantized scales
  at::Tensor outlier_columns;  ///< int64, of a weight [out, in]: the inputs whose weights are float16, and whose codes
                               ///< stand for 0
  at::Tensor outlier_values;   ///< float16 [out, columns]; both undefined where there are none
  int channel_axis = 0;
};

/// Format and range of a layer's input or an operand that is fake-quantized.
struct QuantizedInput {
  Format format;
  ActivationRange range;     ///< of formats with scales that are not dynamic
  at::Tensor outliers = {};  ///< bool [features]: those that are rounded to float16 instead; undefined for none
};

/// Puts a weight on its grid: the code nearest to w / scale, found in double precision. What shares a scale is
/// calibrated on its own values; for channels along `channel_axis` (from the back where negative). Throws Error: NaN or
/// Inf, not a floating-point tensor, no elements, no such axis, a group size that does not divide a channel's values, a
/// dynamic range, a value beyond float16 at 16 bits.
QuantizedTensor QuantizeWeight(const at::Tensor& weight, const Format& format, int channel_axis);

/// What calibration saw of every layer input, and of every operand where the network has their sites, streamed over
/// batches at fixed memory.
class ActivationStatistics {
 public:
  /// Runs the float network over `data`. Throws Error when an activation is not finite.
  static ActivationStatistics Collect(const Network& network, const Dataset& data, const PassLimits& limits,
                                      const ProgressCallback& progress = {});

  /// What WriteFile (bitplan/files.h) makes a file of, `bitplan.statistics/1`, so that calibration and quantization can
  /// be separate runs.
  std::string ToJson() const;

  /// From such a file. Throws Error when the file cannot be read, is not of that form, or is another model's than
  /// `network`'s.
  static ActivationStatistics Read(const std::filesystem::path& file, const Network& network);

  bool Has(int site) const;  ///< whether the site was reached

  /// The smallest and largest value at a site that was reached. Throws Error at others.
  std::pair<double, double> Extremes(int site) const;

  /// Range of `format` at a LayerInput or Operand site; formats without scales and dynamic ones need none and get the
  /// default. Throws Error when the site was never reached.
  ActivationRange Range(int site, const Format& format) const;

 private:
  struct Impl;
  explicit ActivationStatistics(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// x on the grid of `format`, with the straight-through gradient: 1 inside the range, 0 outside. float16 and bfloat16
/// round, gradient 1. The values of integers are those of torch.fake_quantize_per_tensor_affine, which multiplies by
/// the reciprocal of the scale; those of other formats are scale · the level nearest to x / scale. Dynamic formats take
/// their range from x, and none from `range`. NaN stays NaN.
at::Tensor FakeQuantize(const at::Tensor& x, const Format& format, const ActivationRange& range);

struct QuantizeOptions {
  std::int64_t batch_size = 128;  ///< of the passes that collect statistics, ≥ 1
  std::int64_t correction_samples =
      512;  ///< the channel correction is fitted on the first so many samples, in one batch; ≥ 2
  std::optional<ActivationStatistics> statistics =
      {};  ///< collected before, on the same network; the calibration data's own otherwise
  /// Limit of what is held on top of the network and the data: the quantized weights, what passes over samples hold (as
  /// in PassLimits), and what rounding and rescaling keep: the second moments of layers' inputs. Where those of all of
  /// a layer's inputs do not fit, blocks of them are rounded apart (LayerRounding). > 0
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// Whether quantizing by `plan` looks at calibration data: for the range of a layer input or operand that is neither
/// learned nor found at run time nor in `options.statistics`, for an output correction that is fitted, or for what goes
/// before it (rescaling, rounding other than to the nearest, outliers).
bool NeedsCalibration(const Plan& plan, const QuantizeOptions& options = {});

/// What quantizing needs to know of the calibration samples, collected once for any number of plans: the ranges of the
/// layers' inputs, and the moments of the layers' outputs in the float network.
class Calibration {
 public:
  /// Passes of the float network over `data`; without `activations` only plans that leave all inputs in float can be
  /// made from it. Throws Error when an activation is not finite.
  static Calibration Collect(const Network& network, const Dataset& data, bool activations,
                             const QuantizeOptions& options = {});

 private:
  friend class QuantizedNetwork;
  struct Impl;
  explicit Calibration(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// How the codes of one layer's weights were chosen.
struct LayerRounding {
  Rounding rounding = Rounding::Nearest;
  std::int64_t input_blocks = 1;  ///< parts of the layer's inputs that make up for their own errors alone
  std::string reason;             ///< why not as the plan's corrections ask; empty where it is, or nothing is rounded
};

/// The network as a plan has it: weights on their grids, inputs fake-quantized, channels corrected. A value, like
/// Network.
class QuantizedNetwork {
 public:
  struct Impl;

  /// Of weights and ranges that are known, as the rooms that learn them have them; see
  /// src/quantize/include/quantize/quantized_network.h.
  static QuantizedNetwork FromState(const Network& network, const Plan& plan, QuantizedState state);

  /// Throws Error when the plan is another model's (layers or SHA-256 differ, named), has operands that the network has
  /// not or was loaded without, or asks for a format that a layer cannot have: activations on one scale a channel, or
  /// on a layer without an input site, or in two formats on layers that read the same tensor; and, before anything is
  /// run, when `options.memory_bytes` is too little for a layer to be rounded as the plan asks. `calibration` is read
  /// for activation ranges and corrections only.
  static QuantizedNetwork Create(const Network& network, const Plan& plan, const Dataset& calibration,
                                 const QuantizeOptions& options = {});

  /// The same of a plan that needs no data. Throws Error when it does (NeedsCalibration).
  static QuantizedNetwork Create(const Network& network, const Plan& plan, const QuantizeOptions& options = {});

  /// The same from what was collected of the calibration samples before, on the same network. Throws Error when the
  /// plan rescales channels, too: then the samples themselves are needed.
  static QuantizedNetwork Create(const Network& network, const Plan& plan, const Calibration& calibration);

  /// The same grids and ranges, the output correction `output` fitted anew on `samples` in place of the plan's, within
  /// `memory_bytes` as QuantizeOptions has it. Throws Error when an output is not finite.
  QuantizedNetwork Corrected(OutputCorrection output, const Dataset& samples,
                             std::int64_t memory_bytes = QuantizeOptions().memory_bytes) const;

  /// Output [N, …]. Differentiable in the inputs (straight-through). Throws Error when they do not fit the network.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs) const;

  /// The same from float weights, one per layer in the shape of Network::Weight, quantized on the fly on the grids
  /// found at creation and with the correction found then: differentiable in the weights as well (straight-through).
  /// From the network's own weights it is exactly the output of the other Forward, where weights are rounded to the
  /// nearest code.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& weights) const;

  const Network& network() const;  ///< with its channels rescaled, if the plan says so
  const Plan& plan() const;        ///< its layers in the order of Network::layers()
  const std::vector<QuantizedTensor>& weights()
      const;  ///< as Network::layers(); correction folded into scale and value
  /// As Network::parameters(), what is computed with: the weights' values, biases with their correction, the rest as it
  /// was.
  const std::vector<at::Tensor>& parameters() const;
  const std::map<int, QuantizedInput>& inputs() const;  ///< by LayerInput or Operand site; others are left in float
  /// By LayerOutput site, in a shape that broadcasts over the output: what is added to the outputs of layers that have
  /// no bias of their own to take the correction.
  const std::map<int, at::Tensor>& shifts() const;
  const std::vector<LayerRounding>& roundings() const;  ///< as Network::layers()

  /// Export by torchscript (bitplan/export.h): a TorchScript file of standard operators. Plain PyTorch and LibTorch
  /// load it and give Forward's output. Integer weights are stored as int8 with their scales. Throws Error when the
  /// file cannot be written.
  void Save(const std::filesystem::path& file) const;

  /// Export by packed: the smallest file that still says everything that Forward computes with but the graph, as
  /// safetensors. Every parameter by its name. An integer weight is its codes, packed without gaps in row-major order,
  /// the first code in the lowest bits of the first byte: q, of a symmetric grid q + 2^{b−1}. Beside it NAME/scale and,
  /// of an asymmetric grid, NAME/zero_point; under its name in `__metadata__` "bits;channel axis;shape". Of a quantized
  /// input SITE/scale, SITE/zero_point and its bits in `__metadata__`, of a quantized operand likewise; of a corrected
  /// layer without a bias LAYER/shift, to be added to its output. The file's size is what FileSize says. Throws Error
  /// when it cannot be written, or a parameter's type is not known.
  void SavePacked(const std::filesystem::path& file) const;

  /// For rooms that compute it in other ways; see src/quantize/include/quantize/quantized_network.h.
  const Impl& impl() const { return *impl_; }

 private:
  static QuantizedNetwork FromCalibration(const Network& network, const Plan& plan, const Calibration& calibration);
  explicit QuantizedNetwork(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// The cost `file_size_bytes`: bytes of the file that QuantizedNetwork::SavePacked writes, header included, for plans
/// with these formats, with these operands.
CostTable FileSize(const Network& network, const Format& weight_format, const Format& activation_format,
                   bool channel_correction, const std::vector<int>& weight_bits,
                   const std::vector<int>& activation_bits, const std::vector<OperandPlan>& operands = {});

}  // namespace bitplan
