#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "bitplan/pass_limits.h"
#include "bitplan/progress.h"

namespace bitplan::hessian {

struct InputErrorOptions {
  PassLimits limits;
  ProgressCallback progress;
};

/// What every width does to every layer's input, in one pass over the data after the one that collects the ranges. A
/// tensor that a layer reads more than once counts once. A unit is a block of samples.
class InputErrors : public AnalysisStep {
 public:
  InputErrors(const AnalysisContext& context, InputErrorOptions options)
      : context_(context), options_(std::move(options)) {}

  std::string name() const override { return "input errors"; }
  std::int64_t Units() override;
  void Compute(std::int64_t unit) override { Visits(unit); }
  void Finish() override;
  bool OthersNeedIt() const override { return true; }

 private:
  std::int64_t SamplesAtOnce();

  /// A row for each tensor of the samples that a layer reads, in the order in which they come by: site, elements, ‖x‖²,
  /// ‖Q_b(x) − x‖² of each width.
  std::vector<double> Visits(std::int64_t unit);
  std::size_t columns() const { return 3 + context_.groundwork.choices().activation_widths.size(); }

  AnalysisContext context_;
  InputErrorOptions options_;
};

}  // namespace bitplan::hessian
