#include <fmt/format.h>

#include "binary_connect.h"
#include "binary_input.h"
#include "binary_weight.h"
#include "bitplan/error.h"
#include "dorefa.h"
#include "fixed_range.h"
#include "learnable_grid.h"
#include "lsq.h"
#include "lsq_plus.h"
#include "moving_average.h"
#include "pact.h"
#include "qil.h"
#include "ternary_weight.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan {

namespace {

using std::make_unique;

/// What is wrong with a format whose numbers are of another type than the method's; empty: nothing.
std::string TypeFault(const Format& format, NumberType type, std::string_view others) {
  if (format.type != type)
    return fmt::format("type: {} given; expected {}, or for this format one of the methods {}", ToString(format.type),
                       ToString(type), others);
  if (format.InGroups())
    return fmt::format("granularity: {} given; expected tensor or channel, or the method fixed",
                       ToString(format.granularity));
  return "";
}

std::string FixedWeightFault(const Format& format) {
  if (format.calibrator == Calibrator::Dynamic)
    return "calibrator: dynamic ranges are of activations; expected another one";
  if (format.scale_type == ScaleType::DoubleQuantized)
    return "scale_type: double-quantized scales cannot be kept as training left them; expected float32";
  return "";
}

std::string MinMaxFault(const Format& format) {
  if (const std::string fault = FixedWeightFault(format); !fault.empty()) return fault;
  if (format.type == NumberType::Binary || format.type == NumberType::Ternary)
    return fmt::format(
        "type: {} values choose their scales themselves; expected another type, or one of the methods {}",
        ToString(format.type), format.type == NumberType::Binary ? "binary-connect and bwn" : "twn and ttq");
  if (format.InGroups())
    return fmt::format("granularity: {} given; expected tensor or channel, or the method fixed",
                       ToString(format.granularity));
  return "";
}

/// What is wrong with a weight's format for the method; empty: nothing.
std::string WeightFault(TrainingMethod method, const Format& format) {
  if (!format.HasScale()) return "";
  switch (method) {
    case TrainingMethod::Fixed:
      return FixedWeightFault(format);
    case TrainingMethod::MovingAverage:
      return MinMaxFault(format);
    case TrainingMethod::DoReFa:
    case TrainingMethod::Pact:
    case TrainingMethod::PactChannel:
      return format.type == NumberType::Binary ? TypeFault(format, NumberType::Binary, "")
                                               : training_methods::LearnableScaleFault(format);
    case TrainingMethod::Lsq:
    case TrainingMethod::LsqPlus:
    case TrainingMethod::Qil:
      return training_methods::LearnableScaleFault(format);
    case TrainingMethod::BinaryConnect:
    case TrainingMethod::BinaryConnectStochastic:
    case TrainingMethod::Bwn:
    case TrainingMethod::XnorNet:
      return TypeFault(format, NumberType::Binary, "fixed and lsq");
    case TrainingMethod::Twn:
    case TrainingMethod::Ttq:
      return TypeFault(format, NumberType::Ternary, "fixed and lsq");
  }
  return "";
}

std::string DynamicFault(const Format& format) {
  if (format.calibrator == Calibrator::Dynamic)
    return "calibrator: a dynamic range is found at run time and cannot be trained; expected another one, or the "
           "method fixed";
  return "";
}

/// What is wrong with an input's format for the method; empty: nothing.
std::string InputFault(TrainingMethod method, const Format& format) {
  if (!format.HasScale()) return "";
  switch (method) {
    case TrainingMethod::Fixed:
      return "";
    case TrainingMethod::MovingAverage:
      return DynamicFault(format);
    case TrainingMethod::DoReFa:
    case TrainingMethod::Pact:
    case TrainingMethod::PactChannel:
    case TrainingMethod::Lsq:
    case TrainingMethod::LsqPlus:
    case TrainingMethod::Qil:
      return training_methods::LearnableScaleFault(format);
    case TrainingMethod::XnorNet:
      if (format.bits == 1) return DynamicFault(format);
      return fmt::format("bits: {} given; expected 1, or for this format the method lsq", format.bits);
    case TrainingMethod::BinaryConnect:
    case TrainingMethod::BinaryConnectStochastic:
    case TrainingMethod::Bwn:
    case TrainingMethod::Twn:
    case TrainingMethod::Ttq:
      break;
  }
  return "it quantizes weights; expected for inputs one of fixed, moving-average, dorefa, pact, pact-channel, lsq, "
         "lsq-plus, qil, xnor-net";
}

void ThrowIfAny(TrainingMethod method, const std::string& fault) {
  if (!fault.empty()) throw Error(fmt::format("method {}: {}", ToString(method), fault));
}

}  // namespace

bool SuitsWeights(TrainingMethod method, const Format& format) { return WeightFault(method, format).empty(); }

bool SuitsInputs(TrainingMethod method, const Format& format) { return InputFault(method, format).empty(); }

}  // namespace bitplan

namespace bitplan::training_methods {

std::unique_ptr<WeightQuantizer> MakeWeightQuantizer(TrainingMethod method, const Format& format, int channel_axis,
                                                     at::Generator generator) {
  format.Validate();
  ThrowIfAny(method, WeightFault(method, format));
  if (!format.HasScale()) return make_unique<FixedWeight>(format, channel_axis);
  const bool drawn = method == TrainingMethod::BinaryConnectStochastic;
  switch (method) {
    case TrainingMethod::Fixed:
      break;
    case TrainingMethod::MovingAverage:
      return make_unique<MinMaxWeight>(format, channel_axis);
    case TrainingMethod::DoReFa:
    case TrainingMethod::Pact:
    case TrainingMethod::PactChannel:
      if (format.type != NumberType::Binary) return make_unique<DoReFaWeight>(format, channel_axis);
      return make_unique<BinaryWeight>(format, channel_axis, BinaryWeight::Gradient::Unchanged);
    case TrainingMethod::Lsq:
      return make_unique<LsqWeight>(format, channel_axis);
    case TrainingMethod::LsqPlus:
      return make_unique<LsqPlusWeight>(format, channel_axis);
    case TrainingMethod::Qil:
      return make_unique<QilWeight>(format, channel_axis);
    case TrainingMethod::BinaryConnect:
    case TrainingMethod::BinaryConnectStochastic:
      return make_unique<BinaryConnectWeight>(format, channel_axis, drawn, std::move(generator));
    case TrainingMethod::Bwn:
    case TrainingMethod::XnorNet:
      return make_unique<BinaryWeight>(format, channel_axis, BinaryWeight::Gradient::OfScaleAndSign);
    case TrainingMethod::Twn:
      return make_unique<TwnWeight>(format, channel_axis);
    case TrainingMethod::Ttq:
      return make_unique<TtqWeight>(format, channel_axis);
  }
  return make_unique<FixedWeight>(format, channel_axis);
}

std::unique_ptr<InputQuantizer> MakeInputQuantizer(TrainingMethod method, const Format& format) {
  format.ValidateForActivations();
  ThrowIfAny(method, InputFault(method, format));
  if (!format.HasScale()) return make_unique<FixedInput>(format);
  switch (method) {
    case TrainingMethod::MovingAverage:
      return make_unique<MovingAverageInput>(format);
    case TrainingMethod::DoReFa:
      return make_unique<DoReFaInput>(format);
    case TrainingMethod::Pact:
      return make_unique<PactInput>(format);
    case TrainingMethod::PactChannel:
      return make_unique<PactChannelInput>(format);
    case TrainingMethod::Lsq:
      return make_unique<LsqInput>(format);
    case TrainingMethod::LsqPlus:
      return make_unique<LsqPlusInput>(format);
    case TrainingMethod::Qil:
      return make_unique<QilInput>(format);
    case TrainingMethod::XnorNet:
      return make_unique<BinaryInput>(format);
    case TrainingMethod::Fixed:
    case TrainingMethod::BinaryConnect:
    case TrainingMethod::BinaryConnectStochastic:
    case TrainingMethod::Bwn:
    case TrainingMethod::Twn:
    case TrainingMethod::Ttq:
      break;
  }
  return make_unique<FixedInput>(format);
}

}  // namespace bitplan::training_methods
