#include "bitplan/format.h"

#include <fmt/format.h>

#include <stdexcept>

#include "bitplan/error.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<NumberType, 11> kTypes = {{{NumberType::Integer, "integer"},
                                                 {NumberType::Binary, "binary"},
                                                 {NumberType::Ternary, "ternary"},
                                                 {NumberType::PowerOfTwo, "power-of-two"},
                                                 {NumberType::E4M3, "e4m3"},
                                                 {NumberType::E5M2, "e5m2"},
                                                 {NumberType::E2M1, "e2m1"},
                                                 {NumberType::Nf4, "nf4"},
                                                 {NumberType::Float16, "float16"},
                                                 {NumberType::BFloat16, "bfloat16"},
                                                 {NumberType::Float32, "float32"}}};
constexpr text::Names<Scheme, 4> kSchemes = {{{Scheme::Symmetric, "symmetric"},
                                              {Scheme::Asymmetric, "asymmetric"},
                                              {Scheme::Unsigned, "unsigned"},
                                              {Scheme::AutoSigned, "auto-signed"}}};
constexpr text::Names<Granularity, 4> kGranularities = {{{Granularity::Tensor, "tensor"},
                                                         {Granularity::Channel, "channel"},
                                                         {Granularity::Group, "group"},
                                                         {Granularity::Block, "block"}}};
constexpr text::Names<ScaleType, 3> kScaleTypes = {{{ScaleType::Float32, "float32"},
                                                    {ScaleType::PowerOfTwo, "power-of-two"},
                                                    {ScaleType::DoubleQuantized, "double-quantized"}}};
constexpr text::Names<Calibrator, 10> kCalibrators = {{{Calibrator::Max, "max"},
                                                       {Calibrator::Percentile, "percentile"},
                                                       {Calibrator::Mse, "mse"},
                                                       {Calibrator::Entropy, "entropy"},
                                                       {Calibrator::AverageMax, "average-max"},
                                                       {Calibrator::MovingAverage, "moving-average"},
                                                       {Calibrator::Deviations, "deviations"},
                                                       {Calibrator::Laplace, "laplace"},
                                                       {Calibrator::Gauss, "gauss"},
                                                       {Calibrator::Dynamic, "dynamic"}}};

/// The widths that a type has: `least` … `most`, and 16 where `half`.
struct TypeWidths {
  int least = 0, most = 0;
  bool half = false;

  bool Has(int bits) const { return (bits >= least && bits <= most) || (half && bits == 16); }
  std::string Text() const {
    return (least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most)) + (half ? " or 16" : "");
  }
};

TypeWidths WidthsOf(NumberType type) {
  switch (type) {
    case NumberType::Integer:
      return {1, 8, true};
    case NumberType::PowerOfTwo:
      return {2, 8};
    case NumberType::Binary:
      return {1, 1};
    case NumberType::Ternary:
      return {2, 2};
    case NumberType::E2M1:
    case NumberType::Nf4:
      return {4, 4};
    case NumberType::E4M3:
    case NumberType::E5M2:
      return {8, 8};
    case NumberType::Float16:
    case NumberType::BFloat16:
      return {16, 16};
    case NumberType::Float32:
      return {32, 32};
  }
  throw std::logic_error("a number type without widths");
}

int GridBits(const Format& format) { return format.bits - (format.reduce_range ? 1 : 0); }

void ValidateInteger(const Format& format) {
  if (format.narrow_range && format.scheme != Scheme::Symmetric)
    throw Error(fmt::format("narrow_range: true with an {} scheme; it drops the lowest value of a symmetric grid",
                            ToString(format.scheme)));
  if (format.scheme == Scheme::AutoSigned && (format.granularity != Granularity::Tensor || format.bits == 1))
    throw Error("scheme: auto-signed is of activations, with one scale a tensor and 2 bits or more");
  if (format.reduce_range && format.bits == 1) throw Error("reduce_range: true at 1 bit leaves nothing of the grid");
  if (format.narrow_range && GridBits(format) == 1)
    throw Error("narrow_range: true at 1 bit leaves 0 alone on the grid");
  if (format.calibrator == Calibrator::Entropy && format.bits > 8)
    throw Error(fmt::format("calibrator: entropy compares histograms of at most 8 bits, not {}; expected another one",
                            format.bits));
}

void ValidateCodebook(const Format& format) {
  if (format.calibrator == Calibrator::Entropy || format.calibrator == Calibrator::Laplace ||
      format.calibrator == Calibrator::Gauss)
    throw Error(fmt::format("calibrator: {} is for integers, not for {}; expected another one",
                            ToString(format.calibrator), ToString(format.type)));
  const bool own_scale = format.type == NumberType::Binary || format.type == NumberType::Ternary;
  if (own_scale && format.scale_type != ScaleType::Float32)
    throw Error(
        fmt::format("scale_type: {} values choose their scales themselves; expected float32", ToString(format.type)));
  if (format.type == NumberType::PowerOfTwo && format.scale_type != ScaleType::PowerOfTwo)
    throw Error("scale_type: power-of-two values have power-of-two scales");
}

}  // namespace

std::int64_t Format::QuantMin() const {
  if (scheme != Scheme::Symmetric) return 0;
  const std::int64_t half = std::int64_t{1} << (GridBits(*this) - 1);
  return narrow_range ? 1 - half : -half;
}

std::int64_t Format::QuantMax() const {
  return scheme == Scheme::Symmetric ? (std::int64_t{1} << (GridBits(*this) - 1)) - 1
                                     : (std::int64_t{1} << GridBits(*this)) - 1;
}

bool Format::HasScale() const {
  switch (type) {
    case NumberType::Integer:
    case NumberType::Binary:
    case NumberType::Ternary:
    case NumberType::PowerOfTwo:
    case NumberType::E4M3:
    case NumberType::E5M2:
    case NumberType::E2M1:
    case NumberType::Nf4:
      return true;
    case NumberType::Float16:
    case NumberType::BFloat16:
    case NumberType::Float32:
      return false;
  }
  throw std::logic_error("a number type of which nothing says whether it has scales");
}

int OnlyWidth(NumberType type) {
  const TypeWidths widths = WidthsOf(type);
  return widths.least == widths.most && !widths.half ? widths.least : 0;
}

Format Format::WithBits(int new_bits) const {
  Format format = *this;
  format.bits = new_bits;
  if (new_bits == 16 && type != NumberType::BFloat16) format.type = NumberType::Float16;
  if (new_bits == 32) format.type = NumberType::Float32;
  if (new_bits < 16 && !HasScale()) format.type = NumberType::Integer;
  return format;
}

bool Format::HasWidth(int new_bits) const {
  try {
    WithBits(new_bits).Validate();
  } catch (const Error&) {
    return false;
  }
  return true;
}

void Format::Validate() const {
  if (!IsWidth(bits)) throw Error(fmt::format("bits: {} is not a width; expected 1 to 8, 16 or 32", bits));
  if (const TypeWidths widths = WidthsOf(type); !widths.Has(bits))
    throw Error(fmt::format("bits: {} given; {} has {}", bits, ToString(type), widths.Text()));
  if (!(percentile > 0 && percentile <= 100))
    throw Error(fmt::format("percentile: {} is outside (0, 100]", percentile));
  if (!(deviations > 0)) throw Error(fmt::format("deviations: {} given; more than 0 needed", deviations));
  if (InGroups() ? group_size < 1 : group_size != 0)
    throw Error(fmt::format("group_size: {} with one scale a {}; expected {}", group_size, ToString(granularity),
                            InGroups() ? "at least 1" : "0"));
  if (scale_type == ScaleType::DoubleQuantized && !InGroups())
    throw Error(fmt::format("scale_type: double-quantized needs many scales, of groups or blocks, not one a {}",
                            ToString(granularity)));
  if (!HasScale()) return;
  if (calibrator == Calibrator::Dynamic && granularity != Granularity::Tensor)
    throw Error("calibrator: dynamic ranges are of whole tensors, at run time");
  if (IsInteger())
    ValidateInteger(*this);
  else
    ValidateCodebook(*this);
}

void Format::ValidateForActivations() const {
  Validate();
  if (!HasScale()) return;
  if (granularity != Granularity::Tensor)
    throw Error(fmt::format("granularity: activations have one scale a tensor, not one a {}", ToString(granularity)));
  if (type == NumberType::Ternary || type == NumberType::Nf4)
    throw Error(
        fmt::format("type: {} is for weights; expected integer, binary, power-of-two, e4m3, e5m2, e2m1, float16, "
                    "bfloat16 or float32",
                    ToString(type)));
}

Format DefaultWeightFormat() { return {}; }

Format DefaultActivationFormat() {
  Format format;
  format.scheme = Scheme::Asymmetric;
  format.granularity = Granularity::Tensor;
  return format;
}

BITPLAN_ENUM_NAMES(NumberType, kTypes, "number type")
BITPLAN_ENUM_NAMES(Scheme, kSchemes, "scheme")
BITPLAN_ENUM_NAMES(Granularity, kGranularities, "granularity")
BITPLAN_ENUM_NAMES(ScaleType, kScaleTypes, "scale type")
BITPLAN_ENUM_NAMES(Calibrator, kCalibrators, "calibrator")
NumberType ParseNumberType(std::string_view text) { return Parse<NumberType>(text); }
Scheme ParseScheme(std::string_view text) { return Parse<Scheme>(text); }
Granularity ParseGranularity(std::string_view text) { return Parse<Granularity>(text); }
ScaleType ParseScaleType(std::string_view text) { return Parse<ScaleType>(text); }
Calibrator ParseCalibrator(std::string_view text) { return Parse<Calibrator>(text); }

}  // namespace bitplan
