// What an analysis has to do, as it is settled from its options.
#include "analysis_plan.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "files/temporary_folder.h"
#include "hessian/reference.h"

namespace bitplan::hessian {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<std::string> StepsOf(const AnalyzeOptions& options) {
  const Network network = LoadModel("ReluMlp");
  const Dataset data = LoadSamples("ReluMlp");
  const AnalysisPlan plan(network, data, options);
  AnalysisRecords records{files::Journal()};
  Groundwork groundwork(network, data, plan.choices, plan.limits, plan.progress);
  Sensitivity result;
  std::vector<std::string> names;
  for (const auto& step : plan.Steps({network, data, records, groundwork, result})) names.push_back(step->name());
  return names;
}

TEST(AnalysisPlan, HasTheStepsThatMeasuresAndWidthsNeed) {
  AnalyzeOptions options;
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "output errors", "output shifts"));
  options.activation_bits = {8};
  options.measures = {Measure::RelativeError};
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "input errors"));
  options.keep_shifts = true;
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "input errors", "output shifts"));
  options.keep_shifts = false;
  options.measures = {Measure::Fisher, Measure::Trace};
  options.compute = Arithmetic::BFloat16;
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "input errors", "input traces", "difference from float32",
                                            "Gauss-Newton sums", "input fisher"));
  options.compute = Arithmetic::Float32;
  options.activation_bits = {32};
  options.measures = {Measure::Eigenvalue, Measure::Trace};
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "Gauss-Newton eigenvalues", "Gauss-Newton sums"));
  options.exact_hessian = true;
  EXPECT_THAT(StepsOf(options), ElementsAre("weight errors", "weight eigenvalues", "weight traces"));
}

TEST(AnalysisPlan, TakesWidthsAndMeasuresOnceEachInOrder) {
  AnalyzeOptions options;
  options.weight_bits = {8, 4, 4, 32};
  options.activation_bits = {8, 2};
  options.measures = {Measure::Divergence, Measure::WeightError, Measure::LogitShift, Measure::Divergence};
  const AnalysisPlan plan(LoadModel("ReluMlp"), LoadSamples("ReluMlp"), options);
  EXPECT_THAT(plan.choices.weight_widths, ElementsAre(4, 8, 32));
  EXPECT_THAT(plan.choices.activation_widths, ElementsAre(2, 8));
  ASSERT_TRUE(plan.outputs);
  EXPECT_THAT(plan.outputs->measures, ElementsAre(Measure::Divergence, Measure::LogitShift));
}

/// Where options are read: at the door, and where they are written down.
TEST(AnalysisPlan, IsAllThatAsksForTheOptionsOfAnAnalysis) {
  const std::filesystem::path room = std::filesystem::path(BITPLAN_TEST_DIR).parent_path() / "hessian";
  std::vector<std::string> asking;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(room))
    if (entry.is_regular_file() && Contents(entry.path()).find("AnalyzeOptions") != std::string::npos)
      asking.push_back(entry.path().lexically_relative(room).string());
  EXPECT_THAT(asking,
              UnorderedElementsAre("analyze.cpp", "analysis_plan.h", "analysis_plan.cpp", "analysis_run.h",
                                   "analysis_run.cpp", "analysis_parts.cpp", "include/hessian/options_fields.h"));
}

}  // namespace
}  // namespace bitplan::hessian
