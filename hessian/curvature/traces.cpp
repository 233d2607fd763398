#include <fmt/format.h>

#include <algorithm>

#include "bitplan/curvature.h"
#include "bitplan/error.h"
#include "curvature/trace_probes.h"

namespace bitplan {

void TraceOptions::Validate() const { TraceLimits{min_probes, max_probes, tolerance}.Validate(); }

void TraceLimits::Validate() const {
  if (min_probes < 2) throw Error(fmt::format("min_probes is {}, must be at least 2", min_probes));
  if (max_probes < min_probes) {
    throw Error(fmt::format("max_probes is {}, must be at least min_probes ({})", max_probes, min_probes));
  }
  if (!(tolerance > 0)) throw Error(fmt::format("the tolerance of traces is {}, must be above 0", tolerance));
}

std::vector<TraceEstimate> Traces(const LossFunction& loss, const Variables& variables, const TraceOptions& options) {
  options.Validate();
  hessian::TraceProbes probes(loss, variables, options);
  std::vector<double> forms;
  std::vector<TraceEstimate> estimates;
  for (int first = 0; first < options.max_probes; first += options.min_probes) {
    const std::vector<double> block = probes.Take(first, std::min(first + options.min_probes, options.max_probes));
    forms.insert(forms.end(), block.begin(), block.end());
    estimates = hessian::TracesOfProbes(forms, variables.layers.size());
    if (hessian::PreciseEnough(estimates, options.tolerance)) break;
  }
  const std::int64_t total = options.max_probes * static_cast<std::int64_t>(loss.batches());
  Report(options.progress, "trace", total, total);
  return estimates;
}

}  // namespace bitplan
