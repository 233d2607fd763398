#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis_step.h"

namespace bitplan::hessian {

/// What every width does to every layer's weight. A unit is a layer.
class WeightErrors : public AnalysisStep {
 public:
  explicit WeightErrors(const AnalysisContext& context) : context_(context) {}

  std::string name() const override { return "weight errors"; }
  std::int64_t Units() override { return static_cast<std::int64_t>(context_.network.layers().size()); }
  void Compute(std::int64_t unit) override { Errors(static_cast<std::size_t>(unit)); }
  void Finish() override;
  bool OthersNeedIt() const override { return true; }

 private:
  /// ‖W‖², then ‖Q_b(W) − W‖² of each width.
  std::vector<double> Errors(std::size_t layer);

  AnalysisContext context_;
};

}  // namespace bitplan::hessian
