#include "bitplan/analysis_parts.h"

#include <fmt/format.h>

#include <utility>

#include "analysis_run.h"
#include "bitplan/error.h"

namespace bitplan {

std::pair<std::int64_t, std::int64_t> AnalysisShare::Units(std::int64_t units) const {
  return {units * first / of, units * last / of};
}

void AnalysisShare::Validate() const {
  if (!(0 <= first && first < last && last <= of))
    throw Error(fmt::format("a share of {} to {} of {} is none; expected 0 ≤ first < last ≤ of", first, last, of));
}

void AnalyzePart(const Network& network, const Dataset& data, const AnalyzeOptions& options, const AnalysisShare& share,
                 const std::filesystem::path& file) {
  share.Validate();
  Sensitivity outline = Outline(network, data, options);
  if (!options.checkpoint.empty())
    throw Error(fmt::format("a part of an analysis is its own checkpoint, {}; leave out {}", file.string(),
                            options.checkpoint.string()));
  hessian::AnalysisRecords records(files::Journal(file, hessian::AnalysisSubject(network, data, options)));
  records.Claim(fmt::format("shares {} to {} of {}", share.first, share.last, share.of));
  hessian::AnalysisRun(network, data, options, std::move(outline), std::move(records)).Compute(share);
}

Sensitivity MergeParts(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                       const std::vector<std::filesystem::path>& files) {
  Sensitivity outline = Outline(network, data, options);
  hessian::AnalysisRecords records(files, hessian::AnalysisSubject(network, data, options));
  return hessian::AnalysisRun(network, data, options, std::move(outline), std::move(records)).Finish();
}

}  // namespace bitplan
