#pragma once

#include <map>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/quantize.h"
#include "calibration/histogram.h"
#include "network/weight_match.h"

namespace bitplan {

struct ActivationStatistics::Impl {
  std::string model_sha256, weights_sha256;
  bool batch_norm_folded = true;
  std::map<std::string, std::string> input_values;
  std::vector<network::KnownWeight> layers;  ///< of the network that they were collected on; empty in older files
  std::vector<Site> sites;
  std::vector<calibration::Histogram> histograms;  // by site; those of outputs stay empty

  void CheckIsInput(int site) const;  // throws Error
  const calibration::Histogram& Reached(
      int site) const;  // of an input or operand; throws Error when no sample reached it
};

}  // namespace bitplan
