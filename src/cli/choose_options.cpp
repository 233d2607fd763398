#include "choose_options.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "correction_warning.h"
#include "image_options.h"
#include "number_option.h"
#include "report.h"
#include "tuning.h"

namespace bitplan::cli {

namespace {

constexpr std::string_view kPredicted = "predicted", kMeasured = "measured";  // of --reward

bool MeasuresPlans(const RunOptions& options) { return options.choose.Wanted() || options.measured_reward; }

/// What a plan takes otherwise than the first: "conv1 w4a8, linear w8a8".
std::string Differences(const Problem& problem, const std::vector<std::size_t>& choices,
                        const std::vector<std::size_t>& from) {
  constexpr int kShown = 3;
  std::string text;
  int count = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    if (choices[g] == from[g]) continue;
    if (++count <= kShown)
      text += fmt::format("{}{} {}", count > 1 ? ", " : "", problem.groups[g].name,
                          problem.groups[g].choices[choices[g]].name);
  }
  return count > kShown ? fmt::format("{} and {} more", text, count - kShown) : text;
}

}  // namespace

void AddChooseOptions(CommandLine& line) {
  const ChooseOptions defaults;
  line.Add({
      {"candidates", Number<std::int64_t>(WholeFrom(1), defaults.candidates)->value_name("M"),
       "measure the M best plans by prediction, and take the best that is measured"},
      {"apart",
       Number<std::int64_t>(WholeFrom(1), defaults.distance),
       "in how many groups candidates differ at least",
       {{"candidates"}}},
      {"refine", Number<std::int64_t>(WholeFrom(0), defaults.refine)->value_name("EVALS"),
       "improve the plan by so many measured exchanges of widths"},
      {"reward",
       OneOf({kPredicted, kMeasured}, kPredicted, "arg"),
       "the loss of plans that the agent learns from",
       {{"method", {kAgentMethod}}}},
      {"held-out",
       Number<std::int64_t>(WholeFrom(2), tuning::kHeldOut),
       "samples of --data that are kept from the analysis, to measure plans on",
       {{"candidates"}, {"refine"}, {"reward", {std::string(kMeasured)}}}},
  });
}

void ReadChooseOptions(const CommandLine& line, RunOptions& options) {
  options.choose.candidates = line.Get<std::int64_t>("candidates");
  options.choose.distance = line.Get<std::int64_t>("apart");
  options.choose.refine = line.Get<std::int64_t>("refine");
  options.measured_reward = line.Get<std::string>("reward") == kMeasured;
  options.choose.Validate();
}

/// A larger draw begins with the samples of a smaller one.
SplitData LoadData(const CommandLine& line, const Network& network, const RunOptions& options) {
  const std::string spec = line.Required("data");
  DataOptions data_options = ReadSampleOptions(line, network);
  if (!MeasuresPlans(options)) return {LoadData(spec, data_options), std::nullopt};
  const std::int64_t analyzed = data_options.samples, measured = line.Get<std::int64_t>("held-out");
  if (analyzed == 0)
    throw Error(
        "--samples 0 takes all of the data for the analysis, which leaves none to measure plans on; give a number");
  data_options.samples = analyzed + measured;
  data_options.fewer_allowed = true;
  const Dataset all = LoadData(spec, data_options);
  if (all.size() < analyzed + measured)
    throw Error(
        fmt::format("plans are measured on samples that the analysis does not use: {} has {} samples, --samples {} and "
                    "--held-out {} take {}; "
                    "give smaller ones",
                    spec, all.size(), analyzed, measured, analyzed + measured));
  return {all.First(analyzed), all.From(analyzed)};
}

void PrintChoice(const Problem& problem, const MeasuredChoice& choice, OutputKind outputs) {
  Table table(
      {"measured", "predicted loss", DistanceName(outputs), "±", "change", "±", "kept", "differs from the first in"});
  for (const Trial& trial : choice.trials) {
    const auto number = [](double value) { return fmt::format("{:.4g}", value); };
    table.Add({std::string(ToString(trial.origin)), number(trial.predicted), number(trial.loss.value),
               number(trial.loss.standard_error), number(trial.difference.value),
               number(trial.difference.standard_error), trial.accepted ? "yes" : "no",
               Differences(problem, trial.choices, choice.trials.front().choices)});
  }
  fmt::print(
      "\n{}{} plans measured on {} samples that the analysis did not use; kept: better than the best before it by more "
      "than a standard error\n",
      table.Text(), choice.trials.size(), choice.samples);
}

}  // namespace bitplan::cli
