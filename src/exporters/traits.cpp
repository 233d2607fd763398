#include "traits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "bitplan/error.h"
#include "bitplan/names.h"

namespace bitplan::exporters {

namespace {

constexpr std::array kSchemes = {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned};
constexpr std::array kOtherTypes = {NumberType::Binary, NumberType::Ternary, NumberType::PowerOfTwo,
                                    NumberType::E4M3,   NumberType::E5M2,    NumberType::E2M1,
                                    NumberType::Nf4,    NumberType::Float16, NumberType::BFloat16};
constexpr std::array kIntegerWidths = {1, 2, 3, 4, 5, 6, 7, 8, 16};

template <typename Enum>
std::string Names(const std::vector<Enum>& values) {
  std::vector<std::string_view> names;
  for (const Enum value : values) names.push_back(ToString(value));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// 2 … 8, 16
std::string Runs(const std::vector<int>& numbers) {
  std::vector<std::string> runs;
  for (std::size_t begin = 0, end = 0; begin < numbers.size(); begin = end) {
    for (end = begin + 1; end < numbers.size() && numbers[end] == numbers[end - 1] + 1;) ++end;
    if (end - begin > 2) {
      runs.push_back(fmt::format("{} … {}", numbers[begin], numbers[end - 1]));
    } else {
      for (std::size_t i = begin; i < end; ++i) runs.push_back(fmt::format("{}", numbers[i]));
    }
  }
  return fmt::format("{}", fmt::join(runs, ", "));
}

}  // namespace

ExporterTraits AllButDynamic() {
  ExporterTraits all;
  all.weights = {{kIntegerWidths.begin(), kIntegerWidths.end()},
                 {kSchemes.begin(), kSchemes.end()},
                 {kOtherTypes.begin(), kOtherTypes.end()},
                 {Granularity::Tensor, Granularity::Channel, Granularity::Group, Granularity::Block},
                 {},
                 /*narrow=*/true,
                 /*dynamic=*/false,
                 /*offsets=*/true};
  all.inputs = all.weights;
  all.inputs.granularities = {Granularity::Tensor};
  all.operands = all.values = all.outliers = true;
  return all;
}

ExporterTraits WidthsOnly(std::vector<int> weight_bits) {
  ExporterTraits traits;
  traits.weights = {std::move(weight_bits), {Scheme::Symmetric}, {}, {Granularity::Channel}};
  traits.scales = false;
  return traits;
}

std::string TextOf(const CarriedFormats& formats) {
  if (formats.integer_bits.empty() && formats.other_types.empty()) return "float32 alone";
  if (formats.integer_bits.size() == kIntegerWidths.size() && formats.other_types.size() == kOtherTypes.size() &&
      formats.schemes.size() == kSchemes.size())
    return "all";
  std::string text = Names(formats.other_types);
  if (!formats.integer_bits.empty())
    text += fmt::format("{}integers of {} bits ({})", text.empty() ? "" : ", ", Runs(formats.integer_bits),
                        Names(formats.schemes));
  if (!formats.granularities.empty()) text += fmt::format(" by {}", Names(formats.granularities));
  if (!formats.group_sizes.empty()) text += fmt::format(" of {}", fmt::join(formats.group_sizes, ", "));
  return text;
}

std::string NameOf(const Exporter& exporter, std::string_view flavor) {
  return exporter.flavors().size() < 2 ? std::string(exporter.name())
                                       : fmt::format("{} --for {}", exporter.name(), flavor);
}

std::string FlavorOf(const Exporter& exporter, const ExportOptions& options) {
  const std::vector<std::string> flavors = exporter.flavors();
  if (options.flavor.empty()) return flavors.empty() ? "" : flavors.front();
  if (flavors.empty())
    throw Error(
        fmt::format("--for {}: {} is written for one tool alone; leave it out", options.flavor, exporter.name()));
  if (std::find(flavors.begin(), flavors.end(), options.flavor) == flavors.end())
    throw Error(fmt::format("--for {}: {} is written for one of: {}", options.flavor, exporter.name(),
                            fmt::join(flavors, ", ")));
  return options.flavor;
}

}  // namespace bitplan::exporters
