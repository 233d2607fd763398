#pragma once

namespace bitplan::calibration {

/// Values below `low` and above `high` are clipped.
struct Clip {
  double low = 0;   ///< ≤ 0
  double high = 0;  ///< ≥ 0
};

}  // namespace bitplan::calibration
