#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// The weights of a network's layers at some widths, for all who look at what these do. A grid is found once; the
/// weight is put on it each time it is asked for, which is cheap, so that next to nothing is kept.
class QuantizedWeights {
 public:
  /// `format`: `bits` aside. Throws Error as QuantizeWeight does, naming the layer.
  QuantizedWeights(const Network& network, const Format& format, const std::vector<int>& widths,
                   const ProgressCallback& progress = {});

  /// The same as QuantizeWeight gives. The width is one of those given, or 32.
  QuantizedTensor At(std::size_t layer, int bits) const;

 private:
  Network network_;
  Format format_;
  std::vector<std::map<int, QuantizedTensor>> grids_;  // of each layer, by width: without q and value
};

}  // namespace bitplan::quantize
