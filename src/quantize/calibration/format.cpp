#include "bitplan/format.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "bitplan/error.h"

namespace bitplan {

namespace {

template <typename Value, std::size_t N>
using Names = std::array<std::pair<Value, std::string_view>, N>;

constexpr Names<Scheme, 2> kSchemes = {{{Scheme::Symmetric, "symmetric"}, {Scheme::Asymmetric, "asymmetric"}}};
constexpr Names<Granularity, 2> kGranularities = {{{Granularity::Tensor, "tensor"}, {Granularity::Channel, "channel"}}};
constexpr Names<Calibrator, 4> kCalibrators = {{{Calibrator::Max, "max"},
                                                {Calibrator::Percentile, "percentile"},
                                                {Calibrator::Mse, "mse"},
                                                {Calibrator::Entropy, "entropy"}}};

template <typename Value, std::size_t N>
std::string_view NameOf(const Names<Value, N>& names, Value value) {
  for (const auto& [each, name] : names)
    if (each == value) return name;
  return "unknown";
}

template <typename Value, std::size_t N>
Value ValueOf(const Names<Value, N>& names, std::string_view what, std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", name);
  }
  throw Error(fmt::format("unknown {} '{}'; expected one of {}", what, text, known));
}

}  // namespace

std::int64_t Format::QuantMin() const {
  if (scheme == Scheme::Asymmetric) return 0;
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return narrow_range ? 1 - half : -half;
}

std::int64_t Format::QuantMax() const {
  return scheme == Scheme::Asymmetric ? (std::int64_t{1} << bits) - 1 : (std::int64_t{1} << (bits - 1)) - 1;
}

Format Format::WithBits(int new_bits) const {
  Format format = *this;
  format.bits = new_bits;
  return format;
}

void Format::Validate() const {
  if (!IsWidth(bits)) throw Error(fmt::format("bits: {} is not a width; expected 2 to 8, 16 or 32", bits));
  if (narrow_range && scheme == Scheme::Asymmetric)
    throw Error("narrow_range: true with an asymmetric scheme; it drops the lowest value of a symmetric grid");
  if (!(percentile > 0 && percentile <= 100))
    throw Error(fmt::format("percentile: {} is outside (0, 100]", percentile));
}

Format DefaultWeightFormat() { return {}; }

Format DefaultActivationFormat() {
  Format format;
  format.scheme = Scheme::Asymmetric;
  format.granularity = Granularity::Tensor;
  return format;
}

std::string_view ToString(Scheme scheme) { return NameOf(kSchemes, scheme); }
std::string_view ToString(Granularity granularity) { return NameOf(kGranularities, granularity); }
std::string_view ToString(Calibrator calibrator) { return NameOf(kCalibrators, calibrator); }
Scheme ParseScheme(std::string_view text) { return ValueOf(kSchemes, "scheme", text); }
Granularity ParseGranularity(std::string_view text) { return ValueOf(kGranularities, "granularity", text); }
Calibrator ParseCalibrator(std::string_view text) { return ValueOf(kCalibrators, "calibrator", text); }

}  // namespace bitplan
