#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis_records.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"
#include "groundwork.h"

namespace bitplan::hessian {

/// What the steps of one analysis share; outlives them.
struct AnalysisContext {
  const Network& network;
  const Dataset& data;
  AnalysisRecords& records;
  Groundwork& groundwork;
  Sensitivity& result;  ///< with what the steps before have added to it
};

/// One of the things that an analysis does, in units of work that do not depend on each other.
///
/// What one unit comes to is a record: numbers that follow from the network, the data, the options and the unit's
/// number alone. Of a step over samples a unit is a block of them, of the size that the memory limit allows, since what
/// a pass computes may depend in its last bits on what goes through it together; a range of samples is a range of
/// blocks. Records keep what every sample adds, and are reduced in the order of units.
class AnalysisStep {
 public:
  virtual ~AnalysisStep() = default;

  virtual std::string name() const = 0;  ///< "output shifts"

  /// How many there are. Steps over samples may have to find out first how many fit; asked for when the steps before
  /// are finished.
  virtual std::int64_t Units() = 0;

  /// Sees to it that the record of a unit, 0 … Units() − 1, is there.
  virtual void Compute(std::int64_t unit) = 0;

  /// Adds to the result what all units come to.
  virtual void Finish() = 0;

  /// Whether later steps cannot do without what Finish adds.
  virtual bool OthersNeedIt() const { return false; }
};

using AnalysisSteps = std::vector<std::unique_ptr<AnalysisStep>>;

}  // namespace bitplan::hessian
