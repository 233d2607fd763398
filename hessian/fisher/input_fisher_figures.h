#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "fisher/input_fisher.h"

namespace bitplan::hessian {

/// Measure::Fisher of layers' inputs. Those that several layers read are the first one's figure, the others' is 0. A
/// unit is a chunk of samples, with what each of them adds.
class InputFisherFigures : public AnalysisStep {
 public:
  InputFisherFigures(const AnalysisContext& context, InputFisherOptions options)
      : context_(context), options_(std::move(options)) {}

  std::string name() const override { return "input fisher"; }
  std::int64_t Units() override { return static_cast<std::int64_t>(Chunks().size()); }
  void Compute(std::int64_t unit) override { Numbers(static_cast<std::size_t>(unit)); }
  void Finish() override;

 private:
  /// Of layers that are the first to read their input, in the order of layers and widths.
  struct Choices {
    std::vector<InputChoice> inputs;
    std::vector<Perturbation*> figures;  // of each
  };

  Choices FindChoices() const;
  const std::vector<std::vector<std::int64_t>>& Chunks();
  std::vector<double> Numbers(std::size_t chunk);  // [choices, samples of the chunk]
  const InputFisherPasses& Passes();

  AnalysisContext context_;
  InputFisherOptions options_;
  std::optional<InputFisherPasses> passes_;
  std::optional<std::vector<std::vector<std::int64_t>>> chunks_;
};

}  // namespace bitplan::hessian
