#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis_step.h"
#include "bitplan/curvature.h"
#include "bitplan/gauss_newton.h"

namespace bitplan::hessian {

/// What is computed of weights' Gauss-Newton matrices.
struct MatrixFigureOptions {
  bool traces = false, fisher = false;
  std::optional<EigenOptions> eigen;  ///< of the largest eigenvalue, where it is wanted
  GaussNewtonOptions matrix;
};

/// The matrix of all layers, made when a unit needs it.
class MatrixRows {
 public:
  MatrixRows(const AnalysisContext& context, MatrixFigureOptions options)
      : context_(context), options_(std::move(options)) {}

  const MatrixFigureOptions& options() const { return options_; }
  const GaussNewton& Get();

 private:
  AnalysisContext context_;
  MatrixFigureOptions options_;
  std::optional<GaussNewton> matrix_;
};

/// What passes in another arithmetic than float32 change, on a first block of samples: one unit.
class ArithmeticDifferences : public AnalysisStep {
 public:
  ArithmeticDifferences(const AnalysisContext& context, std::shared_ptr<MatrixRows> rows)
      : context_(context), rows_(std::move(rows)) {}

  std::string name() const override { return "difference from float32"; }
  std::int64_t Units() override { return 1; }
  void Compute(std::int64_t) override { Numbers(); }
  void Finish() override;

 private:
  std::vector<double> Numbers();  // of rows and trace, of each layer

  AnalysisContext context_;
  std::shared_ptr<MatrixRows> rows_;
};

/// The largest eigenvalue of every layer's matrix. Lanczos is not a sum over samples: a unit is a layer.
class MatrixEigenvalues : public AnalysisStep {
 public:
  MatrixEigenvalues(const AnalysisContext& context, std::shared_ptr<MatrixRows> rows)
      : context_(context), rows_(std::move(rows)) {}

  std::string name() const override { return "Gauss-Newton eigenvalues"; }
  std::int64_t Units() override { return static_cast<std::int64_t>(context_.network.layers().size()); }
  void Compute(std::int64_t unit) override { Numbers(static_cast<std::size_t>(unit)); }
  void Finish() override;

 private:
  std::vector<double> Numbers(std::size_t layer);  // value, residual, whether it converged

  AnalysisContext context_;
  std::shared_ptr<MatrixRows> rows_;
};

/// What is a mean over samples: traces, and Measure::Fisher of weights. A unit is a block of samples whose rows pass
/// together (GaussNewton::Blocks), with what each of them adds.
class MatrixSums : public AnalysisStep {
 public:
  MatrixSums(const AnalysisContext& context, std::shared_ptr<MatrixRows> rows)
      : context_(context), rows_(std::move(rows)) {}

  std::string name() const override { return "Gauss-Newton sums"; }
  std::int64_t Units() override;
  void Compute(std::int64_t unit) override { Numbers(static_cast<std::size_t>(unit)); }
  void Finish() override;

 private:
  struct Block {
    std::vector<std::int64_t> samples, pieces;  // pieces: of each layer
  };
  /// What every sample adds to each figure of each layer.
  using OfSamples = std::vector<std::vector<std::vector<double>>>;  // [layer][figure][sample]

  const std::vector<Block>& Blocks();
  std::vector<int> FisherWidths() const;
  std::size_t Figures() const;  // of a layer: its trace, and one for each of these widths

  /// [layers, pieces, figures, samples of the block]
  std::vector<double> Numbers(std::size_t block);
  std::vector<double> ComputeNumbers(std::size_t block);
  OfSamples Collect();

  AnalysisContext context_;
  std::shared_ptr<MatrixRows> rows_;
  std::optional<std::vector<Block>> blocks_;
};

/// The steps that options ask for.
void AddMatrixSteps(const AnalysisContext& context, const MatrixFigureOptions& options, AnalysisSteps& steps);

}  // namespace bitplan::hessian
