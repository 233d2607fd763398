#pragma once

#include <optional>

#include "analysis_step.h"
#include "bitplan/analyze.h"
#include "bitplan/loss.h"
#include "bitplan/pass_limits.h"
#include "bitplan/progress.h"
#include "curvature/hessian_figures.h"
#include "fisher/input_fisher.h"
#include "gauss_newton/matrix_figures.h"
#include "groundwork.h"
#include "input_errors.h"
#include "shifts/choice_outputs.h"

namespace bitplan::hessian {

/// What an analysis has to do, settled once from its options, the network and the data. Steps are made of it, and have
/// options of their own: none asks AnalyzeOptions.
struct AnalysisPlan {
  AnalysisPlan(const Network& network, const Dataset& data, const AnalyzeOptions& options);

  ChoiceSpace choices;
  Criterion criterion;  ///< for all samples
  PassLimits limits;
  ProgressCallback progress;
  // Nothing where measures and widths need none of it.
  std::optional<InputErrorOptions> input_errors;
  std::optional<OutputFigureOptions> outputs;
  std::optional<HessianFigureOptions> hessians;
  std::optional<MatrixFigureOptions> matrix;
  std::optional<InputFisherOptions> input_fisher;

  /// In the order in which they are finished.
  AnalysisSteps Steps(const AnalysisContext& context) const;
};

/// Of options that are valid.
ChoiceSpace ChoicesOf(const AnalyzeOptions& options);

}  // namespace bitplan::hessian
