#pragma once

#include <map>

#include "bitplan/network.h"
#include "trained_network.h"

namespace bitplan::train {

/// What one run of a network in training does at its sites: quantizes inputs, and normalizes outputs whose folding
/// looks at the batch.
class TrainingProbe : public Probe {
 public:
  TrainingProbe(TrainedNetwork& network, bool training) : network_(network), training_(training) {}
  at::Tensor Visit(int site, const at::Tensor& value) override;

 private:
  /// The last value at a site. Several layers that read the same tensor share what was made of it.
  struct Visited {
    at::Tensor value, quantized;
    std::uint32_t version = 0;
  };

  at::Tensor QuantizeOnce(int site, const at::Tensor& value);

  TrainedNetwork& network_;
  bool training_;
  std::map<int, Visited> visited_;
  at::Tensor last_input_;  // of a layer with two products: its output is the next site that is visited
};

}  // namespace bitplan::train
