#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/run.h"
#include "configuration_options.h"
#include "file_roles.h"
#include "image_options.h"
#include "known_preparation.h"
#include "number_option.h"
#include "options.h"

namespace bitplan::cli {

void AddCalibrationOptions(CommandLine& line, const OfWhat& of) {
  line.Add({
      {"calibration", ReadData(),
       "data for activation ranges and the channel correction; default: what the plan was analyzed on", of},
      {"calibration-samples", Number<std::int64_t>(WholeFrom(0), RunOptions().calibration_samples),
       "samples drawn from it; the default takes fewer where there are fewer", of},
  });
}

namespace {

/// What of the plan is found on data, in words.
std::vector<std::string> FoundOnData(const CommandLine& line, const Plan& plan) {
  const Corrections& corrections = plan.corrections;
  std::vector<std::string> found;
  Plan ranges = plan;
  ranges.corrections = {};
  ranges.corrections.output = OutputCorrection::None;
  if (!line.Has("statistics") && NeedsCalibration(ranges)) found.emplace_back("ranges of layer inputs");
  if (corrections.rescaling != Rescaling::None)
    found.push_back(fmt::format("the rescaling {}", ToString(corrections.rescaling)));
  if (corrections.rounding != Rounding::Nearest)
    found.push_back(fmt::format("the rounding {}", ToString(corrections.rounding)));
  if (corrections.outlier_threshold > 0) found.emplace_back("outliers");
  if (corrections.FitsOutputs())
    found.push_back(fmt::format("the output correction {} ({}--output-correction none leaves it off)",
                                ToString(corrections.output),
                                line.Has("output-correction") || line.Has("plan") ? "" : "the default; "));
  return found;
}

}  // namespace

Dataset LoadCalibration(const CommandLine& line, const Plan& plan, const Network& network) {
  DataOptions options = ReadSampleOptions(line, network);
  options.samples = line.Get<std::int64_t>("calibration-samples");
  options.fewer_allowed = line.IsDefault("calibration-samples");
  if (line.Has("calibration")) {
    const std::string spec = line.Get<std::string>("calibration");
    PrepareAs(plan.data, spec, line, options);
    return LoadData(spec, options);
  }
  PrepareAs(plan.data, options);
  if (plan.data.spec.empty())
    throw Error(fmt::format("--calibration is missing, the data on which is found: {}{}",
                            fmt::join(FoundOnData(line, plan), ", "),
                            HasConfiguration(line) ? "" : "; the plan does not say what it was analyzed on"));
  RefuseOverwriting(line, {FilesOfData("the data that the plan was analyzed on", plan.data.spec), {}});
  try {
    const Dataset data = LoadData(plan.data.spec, options);
    if (data.sha256() == plan.data.sha256) return data;
  } catch (const Error& error) {
    throw Error(
        fmt::format("the data that the plan was analyzed on cannot be read ({}); give --calibration", error.what()));
  }
  throw Error(fmt::format("{} has changed since the plan was analyzed on it; give --calibration", plan.data.spec));
}

}  // namespace bitplan::cli
