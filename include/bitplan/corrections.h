#pragma once

#include <string_view>

namespace bitplan {

/// Scales moved between what makes a tensor and the layers that read it, channel by channel, before anything is
/// quantized. The float network's outputs stay as they are.
enum class Rescaling {
  None,
  Equalization,     ///< a channel's weights get the same range on both sides, until nothing changes (Nagel et al. 2019,
                    ///< equation 11)
  SmoothQuant,      ///< s = max|x|^α / max|w|^{1−α}, from inputs into weights (Xiao et al. 2023, equation 4)
  ActivationAware,  ///< s = mean|x|^α, α the one of 20 with the least output error (AWQ, Lin et al. 2024, equation 4)
};

/// How a weight finds its code on a grid. All but the nearest are of layers that multiply a tensor of the graph, linear
/// layers, matrix products and convolutions, transposed ones too; others keep that (QuantizedNetwork::roundings).
enum class Rounding {
  Nearest,
  AdaRound,  ///< up or down, to the least squared output error, learned (Nagel et al. 2020); of integers
  Gptq,      ///< column after column, each making up for the error of those before (Frantar et al. 2023)
};

/// What brings the output channels of quantized layers back to the float network's.
enum class OutputCorrection {
  None,
  Channel,            ///< mean and standard deviation on the calibration samples
  Bias,               ///< mean on the calibration samples
  BiasFromBatchNorm,  ///< mean as far as the batch norms before a layer tell it, without data (Nagel et al. 2019,
                      ///< section 4.2); the nearest known value elsewhere is no correction
  BatchNorm,  ///< mean and standard deviation, by the statistics of the batch norms that follow; of networks that were
              ///< loaded unfolded
};

/// What is done, beyond a format, to bring a quantized network nearer to the float one.
struct Corrections {
  Rescaling rescaling = Rescaling::None;
  double smoothing = 0.5;  ///< α of SmoothQuant, in [0, 1]: the share that weights take over
  Rounding rounding = Rounding::Nearest;
  OutputCorrection output = OutputCorrection::Channel;
  /// Input features of linear layers whose magnitude exceeds it on some calibration sample stay in float16 beside the
  /// quantized ones, and so do the weights they meet (LLM.int8(), Dettmers et al. 2022, with 6.0); 0: none. ≥ 0
  double outlier_threshold = 0;

  bool ShiftsOutputs() const;  ///< whether an output correction may add a number to a layer's channels
  bool FitsOutputs() const;    ///< whether an output correction is fitted to calibration samples
  void Validate() const;       ///< throws Error naming the field, its value and the rule

  bool operator==(const Corrections&) const = default;
};

/// Names used in files and on the command line: "equalization", "adaround", …; the parsers throw Error listing them.
std::string_view ToString(Rescaling rescaling);
std::string_view ToString(Rounding rounding);
std::string_view ToString(OutputCorrection output);
Rescaling ParseRescaling(std::string_view text);
Rounding ParseRounding(std::string_view text);
OutputCorrection ParseOutputCorrection(std::string_view text);

}  // namespace bitplan
