#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "shifts/choice_outputs.h"

namespace bitplan::hessian {

/// Measure::OutputError of every choice, which fitting their corrections finds: one unit.
class OutputErrors : public AnalysisStep {
 public:
  OutputErrors(const AnalysisContext& context, std::shared_ptr<ChoiceOutputs> outputs)
      : context_(context), outputs_(std::move(outputs)) {}

  std::string name() const override { return "output errors"; }
  std::int64_t Units() override { return 1; }
  void Compute(std::int64_t) override { Errors(); }
  void Finish() override;

 private:
  std::vector<double> Errors();

  AnalysisContext context_;
  std::shared_ptr<ChoiceOutputs> outputs_;
};

}  // namespace bitplan::hessian
