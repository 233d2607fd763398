#include <fmt/format.h>

#include <cmath>

#include "bitplan/data.h"
#include "bitplan/error.h"

namespace bitplan {

namespace {
constexpr std::int64_t kMostSide = 8192;  // of decode::kMostPixels
}

void DataOptions::Validate() const {
  if (samples < 0) throw Error(fmt::format("samples is {}; it must be positive, or 0 for all", samples));
  if (memory_bytes < 0)
    throw Error(fmt::format("memory_bytes is {}; it must be positive, or 0 without a limit", memory_bytes));
  if (context < 0) throw Error(fmt::format("context is {}; it must be positive, or 0 for whole rows", context));
  if (resize < 0 || crop < 0 || resize > kMostSide || crop > kMostSide)
    throw Error(
        fmt::format("resize is {} and crop {}; each must be 1 … {} pixels, or 0 for none", resize, crop, kMostSide));
  if (interpolation != "bilinear" && interpolation != "bicubic" && interpolation != "nearest")
    throw Error(fmt::format("interpolation is {}; it must be bilinear, bicubic or nearest", interpolation));
  if (mean.empty() != std.empty()) {
    throw Error(fmt::format("mean has {} values and std {}; give both or neither", mean.size(), std.size()));
  }
  if (mean.size() != std.size() && mean.size() != 1 && std.size() != 1) {
    throw Error(
        fmt::format("mean has {} values and std {}; give one value, or one per channel", mean.size(), std.size()));
  }
  for (const double value : mean) {
    if (!std::isfinite(static_cast<float>(value)))
      throw Error(fmt::format("mean {} is not a finite float32 number", value));
  }
  for (const double value : std) {
    if (!(value > 0) || !std::isnormal(static_cast<float>(value))) {
      throw Error(fmt::format("std {} is not a positive float32 number", value));
    }
  }
}

}  // namespace bitplan
