#pragma once

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"
#include "files/journal.h"
#include "quantize/quantized_weights.h"

namespace bitplan::hessian {

/// Whether any of the measures that are asked for is a figure of what choices do to outputs, of layers or of the
/// network.
bool NeedsOutputFigures(const AnalyzeOptions& options);

/// Adds those figures, with what each sample contributes to them, and the shifts where they are to be kept. Samples are
/// gone through in chunks, each a step of the journal, until `options.precision` is reached or the data ends.
void AddOutputFigures(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
                      const AnalyzeOptions& options, files::Journal& journal, Sensitivity& sensitivity);

}  // namespace bitplan::hessian
