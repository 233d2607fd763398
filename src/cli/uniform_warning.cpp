#include "uniform_warning.h"

#include <fmt/format.h>

namespace bitplan::cli {

std::string UniformWarning(const EvaluationReport& report) {
  if (!report.planned || !report.uniform || !report.uniform_bits) return "";
  if (report.planned->divergence <= report.uniform->divergence) return "";
  return fmt::format(
      "warning: on the test samples the plan is further from the float network ({:.3g}) than uniform w{}a{} ({:.3g}); "
      "more samples to analyze (--samples), or plans chosen by measuring (--candidates), may find a better one",
      report.planned->divergence, report.uniform_bits->weight_bits, report.uniform_bits->activation_bits,
      report.uniform->divergence);
}

}  // namespace bitplan::cli
