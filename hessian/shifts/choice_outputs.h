#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "bitplan/analyze.h"
#include "bitplan/loss.h"
#include "bitplan/pass_limits.h"
#include "bitplan/progress.h"
#include "bitplan/sensitivity.h"
#include "quantize/single_choices.h"
#include "shifts/alternatives.h"
#include "shifts/shift_passes.h"

namespace bitplan::hessian {

struct OutputFigureOptions {
  std::vector<Measure> measures;  ///< those that judge shifts of the network's output, each once
  bool output_error = false;      ///< Measure::OutputError
  bool keep_shifts = false;
  bool channel_correction = true;
  Delta delta = Delta::Measured;
  double precision = 0;  ///< of the first of `measures`; 0: all samples
  Criterion criterion;   ///< for all samples
  PassLimits limits;
  ProgressCallback progress;
};

/// What the steps that look at outputs share: the choices, and passes of them, made when they are first asked for.
class ChoiceOutputs {
 public:
  ChoiceOutputs(const AnalysisContext& context, OutputFigureOptions options)
      : context_(context), options_(std::move(options)) {}

  const OutputFigureOptions& options() const { return options_; }

  /// Of the layers as they are when this is first asked for.
  const Alternatives& All();

  const quantize::SingleChoices& Fitted();
  const ShiftPasses& Passes();

 private:
  AnalysisContext context_;
  OutputFigureOptions options_;
  std::optional<Alternatives> all_;
  std::optional<quantize::SingleChoices> fitted_;
  std::unique_ptr<ShiftPasses> passes_;  // of fitted_
};

/// Layers that read what another one's choice quantizes already: nothing is left for them under these measures.
void ClearTiedInputs(const std::vector<Measure>& measures, std::vector<LayerSensitivity>& layers);

}  // namespace bitplan::hessian
