#include "known_preparation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <string>

namespace bitplan::cli {

namespace {

/// "images" of images:FOLDER, ".npy" of FILE.npy.
std::string_view KindOf(std::string_view spec) {
  const auto colon = spec.find(':');
  if (colon != std::string_view::npos) return spec.substr(0, colon);
  const auto dot = spec.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : spec.substr(dot);
}

std::string Shown(const std::vector<double>& numbers) { return fmt::format("{}", fmt::join(numbers, ",")); }
template <typename Value>
std::string Shown(const Value& value) {
  return fmt::format("{}", value);
}

template <typename Value>
void Settle(const CommandLine& line, const std::string& option, const Value& known, Value& value) {
  if (line.IsDefault(option))
    value = known;
  else if (value != known)
    fmt::print(stderr, "--{} {}: the plan was made on data prepared {}\n", option, Shown(value),
               known == Value() ? "without it" : fmt::format("with {}", Shown(known)));
}

}  // namespace

void PrepareAs(const DataSource& known, std::string_view spec, const CommandLine& line, DataOptions& options) {
  if (line.IsDefault("ignore-label")) options.ignored_labels = known.ignored_labels;
  if (known.spec.empty() || KindOf(spec) != KindOf(known.spec)) return;
  Settle(line, "mean", known.mean, options.mean);
  Settle(line, "std", known.std, options.std);
  if (KindOf(spec) == "tokens") Settle(line, "context", known.context, options.context);
  if (KindOf(spec) != "images") return;
  Settle(line, "resize", known.resize, options.resize);
  Settle(line, "crop", known.crop, options.crop);
  if (!known.interpolation.empty()) Settle(line, "interpolation", known.interpolation, options.interpolation);
}

void PrepareAs(const DataSource& known, DataOptions& options) {
  options.ignored_labels = known.ignored_labels;
  options.mean = known.mean;
  options.std = known.std;
  options.context = known.context;
  options.resize = known.resize;
  options.crop = known.crop;
  if (!known.interpolation.empty()) options.interpolation = known.interpolation;
}

}  // namespace bitplan::cli
