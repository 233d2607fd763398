#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// Seed, batch size and memory are said here once: the stages' own follow from these, as in RunOptions.
struct ValidateOptions {
  std::int64_t batch_size = QuantizeOptions().batch_size;      ///< of all passes over samples, ≥ 1
  std::int64_t memory_bytes = QuantizeOptions().memory_bytes;  ///< of all passes, > 0, as in PassLimits
  AnalyzeOptions analyze;  ///< its measures are compared, those of the shifts jointly as well, the default one shrunk
                           ///< as well; one without figures for every layer is left out
  int plans = 150;  ///< drawn at random: each draws how likely its widths are, so that small and large plans come up
                    ///< alike; ≥ 10
  std::uint64_t seed = 0;  ///< of the draw and of the analysis
  QuantizeOptions quantize;
  ProgressCallback progress;  ///< for every stage that has none of its own

  void Validate() const;  ///< throws Error
};

/// One random plan and what became of it.
struct DrawnPlan {
  std::vector<std::string> choices;  ///< one a group, "w4a8"
  double rise = 0;                   ///< of the mean divergence from the float network, or of one's own loss
                                     ///< (NetworkOptions::loss_module), on the data of the analysis
  std::optional<double> accuracy;    ///< on the test data
  std::optional<double> test_error;  ///< in its place where outputs are values, mean squared error; or one's own loss
  std::optional<EvaluationMetric> metric;  ///< one's own, likewise
};

/// How well one measure ranks the plans. Small rises: the half of the plans with the smallest.
struct Agreement {
  std::string measure;                           ///< "divergence", "divergence, joint"
  std::vector<double> predictions;               ///< one a plan
  double spearman = 0, kendall = 0;              ///< with the rise, over all plans
  double spearman_small = 0, kendall_small = 0;  ///< among the small rises
  std::optional<double> spearman_accuracy;       ///< with the share of test samples that are wrong, or their error
};

struct Validation {
  std::string model_sha256, data_sha256;  ///< of the model file, and of the data that plans were measured on
  std::uint64_t seed = 0;                 ///< of the draw and of the analysis
  std::vector<std::string> groups;        ///< names, as DrawnPlan::choices
  std::vector<DrawnPlan> plans;
  std::vector<Agreement> agreements;  ///< the best over all plans first
};

/// Analyzes the network, draws random plans, measures each one's real rise of the loss on the same samples and, where
/// `test` has any, its accuracy there. Throws Error as Analyze, when there is only one plan, and when `test` has no
/// labels.
Validation Validate(const Network& network, const Dataset& data, const std::optional<Dataset>& test,
                    const ValidateOptions& options);

/// A row a plan: widths, rise, accuracy, every measure's prediction.
std::string ToCsv(const Validation& validation);

/// Schema bitplan.validation/1.
std::string ToJson(const Validation& validation);

/// A panel a measure: predicted against measured, both on logarithmic axes.
std::string ToSvg(const Validation& validation);

}  // namespace bitplan
