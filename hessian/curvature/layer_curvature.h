#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/analyze.h"
#include "files/journal.h"

namespace bitplan::hessian {

/// How the largest eigenvalue alone is looked for.
EigenOptions FirstEigenvalue(const AnalyzeOptions& options);

/// Whether `options.measures` has it.
bool Wants(const AnalyzeOptions& options, Measure measure);

/// Curvature of the loss in every layer's weight: the figures that `options.measures` need; each eigenvalue, and all
/// traces together, are a step of the journal.
std::vector<Curvature> WeightCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                                        files::Journal& journal);

/// Curvature of a sample's loss in every layer's input, which has `elements[layer]` elements a sample; 0: no input that
/// can be varied.
std::vector<Curvature> InputCurvatures(const LossFunction& loss, const AnalyzeOptions& options,
                                       const std::vector<std::int64_t>& elements, files::Journal& journal);

}  // namespace bitplan::hessian
