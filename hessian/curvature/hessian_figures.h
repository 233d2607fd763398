#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "bitplan/curvature.h"
#include "bitplan/loss.h"
#include "bitplan/pass_limits.h"
#include "bitplan/progress.h"
#include "curvature/trace_probes.h"

namespace bitplan::hessian {

/// What is computed of exact Hessians.
struct HessianFigureOptions {
  bool of_weights = false, of_inputs = false;
  std::optional<EigenOptions> eigen;  ///< of the largest eigenvalue, where it is wanted
  std::optional<TraceOptions> trace;  ///< of the traces, likewise
  std::int64_t samples = 1;           ///< the first of the data
  Loss loss = Loss::Divergence;       ///< settled, for all of the data
  double temperature = 1;
  PassLimits limits;
  ProgressCallback progress;
};

/// The loss that Hessians are of, in batches that the memory limit allows; made when it is first asked for.
class HessianLoss {
 public:
  HessianLoss(const AnalysisContext& context, HessianFigureOptions options)
      : context_(context), options_(std::move(options)) {}

  const HessianFigureOptions& options() const { return options_; }

  /// All layers, or of their inputs those that samples reach.
  Variables Reached(bool of_inputs) const;

  std::int64_t Batches();
  std::int64_t Samples(std::int64_t batch);  ///< how many it has
  const LossFunction& Get();

 private:
  std::int64_t BatchSize();
  std::int64_t TriedBatchSize() const;
  std::int64_t VectorBytes(std::int64_t samples) const;
  LossFunction On(std::int64_t first_samples, std::int64_t batch) const;

  AnalysisContext context_;
  HessianFigureOptions options_;
  std::optional<LossFunction> loss_;
};

/// The eigenvalue largest in magnitude of every layer's Hessian. Lanczos is not a sum over samples: in a layer's weight
/// a unit is the layer; in its input, where samples do not interact, it is the layer on one batch.
class HessianEigenvalues : public AnalysisStep {
 public:
  HessianEigenvalues(const AnalysisContext& context, std::shared_ptr<HessianLoss> loss, bool of_inputs)
      : context_(context), loss_(std::move(loss)), of_inputs_(of_inputs) {}

  std::string name() const override { return of_inputs_ ? "input eigenvalues" : "weight eigenvalues"; }
  std::int64_t Units() override;
  void Compute(std::int64_t unit) override { Numbers(unit); }
  void Finish() override;

 private:
  /// Whether the batch reaches the layer, the eigenvalue, its residual, whether it converged.
  std::vector<double> Numbers(std::int64_t unit);
  std::vector<double> ComputeNumbers(std::int64_t unit);
  std::int64_t BatchesOfLayer() { return of_inputs_ ? loss_->Batches() : 1; }

  AnalysisContext context_;
  std::shared_ptr<HessianLoss> loss_;
  bool of_inputs_;
};

/// Hutchinson's estimates of all layers' traces. They are means over probes, each of which goes through all samples: a
/// unit is a block of probes. They are reduced until the means are known, so that units beyond are of no use.
class HessianTraces : public AnalysisStep {
 public:
  HessianTraces(const AnalysisContext& context, std::shared_ptr<HessianLoss> loss, bool of_inputs)
      : context_(context), loss_(std::move(loss)), of_inputs_(of_inputs) {}

  std::string name() const override { return of_inputs_ ? "input traces" : "weight traces"; }
  std::int64_t Units() override;
  void Compute(std::int64_t unit) override { Probes(unit); }
  void Finish() override;

 private:
  /// [probes, layers that are reached], as TraceProbes has them.
  std::vector<double> Probes(std::int64_t unit);

  AnalysisContext context_;
  std::shared_ptr<HessianLoss> loss_;
  bool of_inputs_;
  std::optional<TraceProbes> probes_;  // once some have to be taken
};

/// The steps that options ask for.
void AddHessianSteps(const AnalysisContext& context, const HessianFigureOptions& options, AnalysisSteps& steps);

}  // namespace bitplan::hessian
