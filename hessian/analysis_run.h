#pragma once

#include "analysis_plan.h"
#include "analysis_records.h"
#include "analysis_step.h"
#include "bitplan/analysis_parts.h"
#include "bitplan/analyze.h"
#include "files/journal.h"
#include "groundwork.h"

namespace bitplan::hessian {

/// All that an analysis' figures depend on: records of anything else are of no use. Throws Error unless network and
/// data are from files.
files::JournalSubject AnalysisSubject(const Network& network, const Dataset& data, const AnalyzeOptions& options);

/// An analysis on its way. Network and data must outlive it.
class AnalysisRun {
 public:
  /// `outline`: see Outline.
  AnalysisRun(const Network& network, const Dataset& data, const AnalyzeOptions& options, Sensitivity outline,
              AnalysisRecords records);
  AnalysisRun(const AnalysisRun&) = delete;
  AnalysisRun& operator=(const AnalysisRun&) = delete;

  // One of these, once.

  /// Sees to it that the records of a share of every step's units are there.
  void Compute(const AnalysisShare& share);

  /// Reduces the records of all steps.
  Sensitivity Finish();

 private:
  Sensitivity result_;
  AnalysisPlan plan_;
  AnalysisRecords records_;
  Groundwork groundwork_;
  AnalysisSteps steps_;
};

}  // namespace bitplan::hessian
