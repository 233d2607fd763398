// What each measure's best plan is worth: KL to the float network and accuracy on test samples, side by side at several sizes, all
// quantized alike. Analyzes once, on one set of samples; measures on another.
//
//   bench_plan_quality MODEL.pt DATA TEST [--activations] [--no-correction] [--no-shrink] [--split]
//
// --split: half of TEST to analyze and calibrate on, the other half to measure on. DATA is not read then.

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/cost.h"
#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "bitplan/search.h"
#include "bitplan/statistics.h"

namespace {

using namespace bitplan;

/// Every sample's KL to the float network, and how many are classified right.
struct Outcome {
  std::vector<double> divergences;
  double accuracy = 0;
};

Outcome MeasureOutcome(const QuantizedNetwork& quantized, const Dataset& test) {
  const torch::NoGradGuard no_gradient;
  Outcome outcome;
  std::int64_t right = 0;
  for (std::int64_t begin = 0; begin < test.size(); begin += 128) {
    const Batch batch = test.Get(begin, std::min<std::int64_t>(begin + 128, test.size()));
    const at::Tensor logits = quantized.Forward(batch.inputs);
    const at::Tensor losses = SampleLosses(Loss::Divergence, logits, quantized.network().Forward(batch.inputs)).contiguous();
    outcome.divergences.insert(outcome.divergences.end(), losses.const_data_ptr<double>(), losses.const_data_ptr<double>() + losses.numel());
    right += logits.argmax(1).eq(batch.labels).sum().item<std::int64_t>();
  }
  outcome.accuracy = static_cast<double>(right) / static_cast<double>(test.size());
  return outcome;
}

std::string BitsOf(const Plan& plan) {
  std::string text;
  for (const LayerPlan& layer : plan.layers) text += fmt::format("{}/{} ", layer.weight.bits, layer.activation.bits);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::invalid_argument("MODEL.pt DATA TEST [--activations] [--no-correction] [--no-shrink] [--split]");
    const std::set<std::string> flags(argv + 4, argv + argc);
    const Network network = Network::Load(argv[1]);
    Dataset test = Dataset::Load(argv[3], {}), data = test;
    if (flags.contains("--split")) {
      std::vector<std::int64_t> even, odd;
      for (std::int64_t i = 0; i < test.size(); ++i) (i % 2 == 0 ? even : odd).push_back(i);
      const Batch first = test.Get(even), second = test.Get(odd);
      data = Dataset::FromTensors(first.inputs, first.labels);
      test = Dataset::FromTensors(second.inputs, second.labels);
    } else {
      DataOptions options;
      options.samples = 512;
      data = Dataset::Load(argv[2], options);
    }
    AnalyzeOptions analyze;
    analyze.measures = AllMeasures();
    if (flags.contains("--activations")) {
      analyze.activation_bits = {4, 6, 8};
      analyze.measures = {Measure::RelativeError, Measure::OutputError, Measure::LogitShift,
                          Measure::Divergence,    Measure::Quadratic,   Measure::SingleLoss};
    }
    analyze.channel_correction = !flags.contains("--no-correction");
    analyze.keep_shifts = true;
    const Sensitivity sensitivity = Analyze(network, data, analyze);

    const std::vector<double> sizes = {2.5, 3, 3.5, 4, 5};
    fmt::print("{} samples to analyze, {} to measure; {}, {}\n", data.size(), test.size(),
               analyze.channel_correction ? "channel correction" : "no correction",
               flags.contains("--activations") ? "activations at 4, 6 or 8 bits within the BOPs of as many bits as the weights" : "weights only");
    fmt::print("{:<24}", "KL (accuracy %)");
    for (const double size : sizes) fmt::print("{:>16}", fmt::format("{} bits", size));
    fmt::print("{:>10}\n", "geo. mean");
    std::map<std::string, Outcome> outcomes;
    std::map<std::string, std::vector<const Outcome*>> rows;
    std::vector<std::string> order;
    for (const Measure measure : analyze.measures)
      for (const std::string kind : {"", ", shrunk", ", joint"}) {
        const bool shrink = kind == ", shrunk", joint = kind == ", joint";
        if (shrink && (!HasFigures(measure) || measure == Measure::Fisher || measure == Measure::OutputError || flags.contains("--no-shrink"))) continue;
        if (joint && measure != Measure::LogitShift && measure != Measure::Divergence) continue;
        const std::string name = std::string(ToString(measure)) + kind;
        order.push_back(name);
        fmt::print("{:<24}", name);
        std::vector<double> means;
        for (const double size : sizes) {
          ProblemOptions problem_options;
          problem_options.measure = measure;
          problem_options.shrink = shrink;
          problem_options.joint = joint;
          problem_options.budgets = {{"average_bits", size, false}};
          if (flags.contains("--activations")) problem_options.budgets.push_back({"bops", size * 6 / 1024 * 100, true});
          SearchOptions search;
          if (joint) search.method = SearchMethod::Convex;
          search.time_limit_seconds = 60;
          const Problem problem = MakeProblem(sensitivity, problem_options);
          const Plan plan = MakePlan(sensitivity, problem, Search(problem, search), measure);
          const std::string bits = BitsOf(plan);
          if (!outcomes.contains(bits)) outcomes[bits] = MeasureOutcome(QuantizedNetwork::Create(network, plan, data), test);
          const Outcome& outcome = outcomes.at(bits);
          rows[name].push_back(&outcome);
          const Estimate mean = Mean(outcome.divergences);
          means.push_back(mean.value);
          fmt::print("{:>16}", fmt::format("{:.4f} ({:.1f})", mean.value, 100 * outcome.accuracy));
        }
        fmt::print("{:>10.4f}\n", GeometricMean(means));
        std::fflush(stdout);
      }
    fmt::print("\nstandard error of the KL, and of its difference from logit-shift, shrunk\n");
    const std::string base = rows.contains("logit-shift, shrunk") ? "logit-shift, shrunk" : "logit-shift";
    for (const std::string& name : order) {
      fmt::print("{:<24}", name);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const Estimate difference = PairedDifference(rows[name][i]->divergences, rows[base][i]->divergences);
        fmt::print("{:>22}", fmt::format("{:.4f} {:+.4f}±{:.4f}", Mean(rows[name][i]->divergences).standard_error, difference.value,
                                         difference.standard_error));
      }
      fmt::print("\n");
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_plan_quality: {}\n", error.what());
    return 2;
  }
  return 0;
}
