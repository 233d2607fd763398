#pragma once

#include <string_view>
#include <vector>

#include "bitplan/format.h"

namespace bitplan {

/// How training quantizes a tensor: what of its grid is learned, and what gradient passes the rounding. x̂ is the
/// quantized x, s a scale, n the largest code, |·| of all that shares the scale.
enum class TrainingMethod {
  Fixed,                    ///< ranges that the format's calibrator finds, then fixed; gradient 0 outside them
  MovingAverage,            ///< ranges that follow the smallest and largest value (Jacob et al. 2018, section 3.1)
  DoReFa,                   ///< weights through tanh, inputs clamped to a fixed range (Zhou et al. 2016)
  Pact,                     ///< inputs clipped at a learned α (Choi et al. 2018); weights as DoReFa's, as there
  PactChannel,              ///< the same with an α a channel
  Lsq,                      ///< learned scales (Esser et al. 2020)
  LsqPlus,                  ///< learned scales, and offsets of inputs (Bhalgat et al. 2020)
  Qil,                      ///< learned intervals of center and half width (Jung et al. 2019), γ = 1
  BinaryConnect,            ///< weights ±H, by their signs (Courbariaux et al. 2015)
  BinaryConnectStochastic,  ///< the same, drawn by a hard sigmoid in training
  Bwn,                      ///< weights ± mean |w| (Rastegari et al. 2016, section 3.1)
  XnorNet,                  ///< the same, and inputs of one bit (section 3.2)
  Twn,                      ///< weights −s, 0, s (Li et al. 2016)
  Ttq,                      ///< weights −Wₙ, 0, Wₚ, both learned (Zhu et al. 2017)
};

/// Whether a layer's weight, or a layer's input, of this format can be trained by the method. Formats without scales
/// can by all: they round, and there is nothing to learn.
bool SuitsWeights(TrainingMethod method, const Format& format);
bool SuitsInputs(TrainingMethod method, const Format& format);

/// Whether larger weights find larger levels, or are clipped by learned ones. Where neither holds (BinaryConnect, TTQ),
/// batch norm that is folded in cannot be trained as Rescaled: its variance would run away.
bool LevelsFollowWeight(TrainingMethod method);

/// All there are, in the order of their declaration.
std::vector<TrainingMethod> TrainingMethods();

/// Names used on the command line and in files: "lsq", "binary-connect", …; the parser throws Error listing them.
std::string_view ToString(TrainingMethod method);
TrainingMethod ParseTrainingMethod(std::string_view text);

}  // namespace bitplan
