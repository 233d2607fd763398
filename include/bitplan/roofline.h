#pragma once

#include <map>
#include <string>
#include <vector>

#include "bitplan/cost_table.h"
#include "bitplan/layer_work.h"

namespace bitplan {

/// A device by its peaks: Williams, Waterman, Patterson, "Roofline", CACM 52 (2009) 65. File form:
/// `bitplan.roofline/1`.
struct Roofline {
  std::string source;
  /// Multiply-accumulates a second by the width of the operands, 1 … 32; finite, > 0. One operand that is narrower is
  /// computed with at the other's width, and widths between these at the next one.
  std::map<int, double> macs_per_second;
  double bytes_per_second = 0;   ///< of memory; finite, > 0
  double seconds_per_layer = 0;  ///< to start one; finite, ≥ 0

  void Validate() const;  ///< throws Error
};

/// The cost `latency_ms` of one sample, in ms: of each layer the larger of the time to compute and the time to move
/// weights, input and output, and the time to start it. Every figure is an estimate. Throws Error for a width above all
/// of the device's.
CostTable RooflineLatency(const std::vector<LayerWork>& layers, const Roofline& device,
                          const std::vector<int>& weight_bits, const std::vector<int>& activation_bits);

/// The devices that are known by name: nvidia-t4, raspberry-pi-5, …
std::vector<std::string> DeviceNames();

/// A device by its name or from a file. Throws Error: not a name that is known and not a file that can be read, unknown
/// or missing keys, numbers out of their ranges.
Roofline ReadRoofline(const std::string& name_or_file);

}  // namespace bitplan
