#include "cli/sample_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "cli/tell.h"
#include "quantize/corrections/few_values.h"
#include "shortened.h"

namespace bitplan::cli {

void TellOfFewValues(const Network& network, const Dataset& data, const std::vector<Measure>& measures,
                     bool corrected) {
  if (!corrected || std::none_of(measures.begin(), measures.end(), IsOfShifts)) return;
  const std::vector<std::string> layers = LayersOfFewValues(network, data);
  if (layers.empty()) return;
  Tell(fmt::format(
      "warning: {} samples give channels of {} layer{} ({}) fewer than {} values: the figures of these leave the output "
      "correction out, which would restore the samples it was fitted on and tell nothing of others; give more "
      "(--samples)",
      data.size(), layers.size(), layers.size() == 1 ? "" : "s", Shortened(layers), kFewestValues));
}

void TellOfBetterUniform(const EvaluationReport& report) {
  if (!report.planned || !report.uniform || !report.uniform_bits) return;
  if (report.planned->divergence <= report.uniform->divergence) return;
  Tell(fmt::format(
      "warning: on the test samples the plan is further from the float network ({:.3g}) than uniform w{}a{} ({:.3g}); "
      "more samples to analyze (--samples), or plans chosen by measuring (--candidates), may find a better one",
      report.planned->divergence, report.uniform_bits->weight_bits, report.uniform_bits->activation_bits,
      report.uniform->divergence));
}

}  // namespace bitplan::cli
