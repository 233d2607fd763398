#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "analysis_step.h"
#include "shifts/choice_outputs.h"
#include "shifts/collected_figures.h"
#include "shifts/prediction_counts.h"

namespace bitplan::hessian {

/// The figures of what choices do to the network's output, with what each sample contributes to them, and the shifts
/// where they are to be kept. A unit is a block of samples; they are reduced until the precision that was asked for is
/// reached or the data ends, so that units beyond are of no use.
class OutputShiftFigures : public AnalysisStep {
 public:
  OutputShiftFigures(const AnalysisContext& context, std::shared_ptr<ChoiceOutputs> outputs);

  std::string name() const override { return "output shifts"; }
  std::int64_t Units() override;
  void Compute(std::int64_t unit) override { Figures(unit); }
  void Finish() override;

 private:
  struct Blocks {
    std::int64_t samples, predictions, classes;  ///< at once; of a sample; of a prediction
  };

  Blocks FindBlocks();
  BlockFigures Figures(std::int64_t unit);
  BlockFigures ComputeFigures(std::int64_t begin, std::int64_t end);
  const OutputFigureOptions& options() const { return outputs_->options(); }

  AnalysisContext context_;
  std::shared_ptr<ChoiceOutputs> outputs_;
  at::Tensor labels_;  // undefined where they are not read
  PredictionCounts counts_;
};

}  // namespace bitplan::hessian
