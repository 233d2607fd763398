#include "learnable_grid.h"

#include <fmt/format.h>

#include <string>

#include "bitplan/error.h"
#include "calibration/range.h"

namespace bitplan::training_methods {

LearnableGrid GridAround(const Format& format, bool below_zero) {
  LearnableGrid grid{format, 0};
  if (below_zero && format.HasZeroPoint() && format.QuantMax() > 1) grid.zero_point = (format.QuantMax() + 1) / 2;
  if (below_zero || format.scheme != Scheme::Symmetric) return grid;
  grid.format.scheme = Scheme::Unsigned;
  grid.format.narrow_range = false;
  return grid;
}

double CenteredScale(const calibration::Distribution& values, const LearnableGrid& grid) {
  Format format = grid.format;
  if (format.HasZeroPoint()) format.scheme = grid.zero_point > 0 ? Scheme::Symmetric : Scheme::Unsigned;
  return calibration::Calibrate(values, format).scale;
}

std::string LearnableScaleFault(const Format& format) {
  if (!format.IsInteger())
    return fmt::format("type: {} given; expected integer, or one of the methods fixed and moving-average",
                       ToString(format.type));
  if (format.scale_type != ScaleType::Float32)
    return fmt::format("scale_type: {} given, but a learned scale takes any value; expected float32",
                       ToString(format.scale_type));
  if (format.InGroups())
    return fmt::format("granularity: {} given; expected tensor or channel, or the method fixed",
                       ToString(format.granularity));
  if (format.calibrator == Calibrator::Dynamic)
    return "calibrator: a dynamic range is found at run time and cannot be trained; expected another one, or the "
           "method fixed";
  if (format.QuantMax() < 1)
    return "bits: a symmetric grid of 1 bit has no level above 0; expected 2 or more, or another scheme";
  return "";
}

}  // namespace bitplan::training_methods
