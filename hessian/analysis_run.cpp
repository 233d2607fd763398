#include "analysis_run.h"

#include <utility>

#include "bitplan/error.h"
#include "bitplan/version.h"
#include "data/options_fields.h"
#include "hessian/options_fields.h"
#include "network/options_fields.h"

namespace bitplan::hessian {

files::JournalSubject AnalysisSubject(const Network& network, const Dataset& data, const AnalyzeOptions& options) {
  if (network.sha256().empty() || data.sha256().empty())
    throw Error(
        "a checkpoint, or a part of an analysis, needs a network and data from files, since it holds for these alone");
  const Criterion criterion = ResolveLoss(network, data, options.loss, options.temperature);
  files::Json subject = files::OptionsJson(options, {"checkpoint", "progress", "memory_bytes"});
  subject["samples"] = data.size();
  subject["network"] = files::IdentityOf(network);
  subject["data"] = files::IdentityOf(data);
  subject["criterion"] = {{"loss", ToString(criterion.loss)},
                          {"outputs", ToString(criterion.outputs)},
                          {"class_axis", criterion.class_axis},
                          {"module", criterion.module ? criterion.module->sha256() : ""}};
  subject["version"] = Version();
  subject["memory_bytes"] = options.memory_bytes;  // the last to be compared: it follows from network and data, too
  return {"an analysis", subject.dump(-1, ' ', false, files::Json::error_handler_t::replace)};
}

AnalysisRun::AnalysisRun(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                         Sensitivity outline, AnalysisRecords records)
    : result_(std::move(outline)),
      plan_(network, data, options),
      records_(std::move(records)),
      groundwork_(network, data, plan_.choices, plan_.limits, plan_.progress),
      steps_(plan_.Steps({network, data, records_, groundwork_, result_})) {}

void AnalysisRun::Compute(const AnalysisShare& share) {
  for (auto& step : steps_) {
    const auto [begin, end] = share.Units(step->Units());
    for (std::int64_t unit = begin; unit < end; ++unit) step->Compute(unit);
    if (step->OthersNeedIt()) {
      const AnalysisRecords::Keeping none(records_, false);  // others' units are theirs to keep
      step->Finish();
    }
    step.reset();  // the next one needs its memory
  }
}

Sensitivity AnalysisRun::Finish() {
  for (auto& step : steps_) {
    step->Finish();
    step.reset();  // the next one needs its memory
  }
  return std::move(result_);
}

}  // namespace bitplan::hessian
