// What each measure's best plan is worth: KL to the float network and accuracy on test samples, side by side at several
// sizes, all quantized alike. Analyzes and calibrates on one set of samples; measures on another.
//
//   bench_plan_quality MODEL.pt DATA TEST [--activations] [--no-correction] [--split] [--own] [--seed=N]
//
// DATA gives 512 samples. --split: half of TEST to analyze and calibrate on, the other half to measure on; DATA is not
// read then.
// --own: without the joint problems, which take most of the time. --seed: which of DATA's samples are drawn.

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <map>
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

constexpr std::array kSizes = {2.5, 3.0, 3.5, 4.0, 5.0};  // bits of a weight on average

struct Flags {
  bool activations = false, correction = true, split = false, own = false;
  std::uint64_t seed = 0;
};

Flags ParseFlags(const std::vector<std::string>& words) {
  Flags flags;
  for (const std::string& word : words) {
    if (word == "--activations")
      flags.activations = true;
    else if (word == "--no-correction")
      flags.correction = false;
    else if (word == "--split")
      flags.split = true;
    else if (word == "--own")
      flags.own = true;
    else if (word.starts_with("--seed="))
      flags.seed = std::stoull(word.substr(7));
    else
      throw std::invalid_argument(fmt::format("unknown option {}", word));
  }
  return flags;
}

/// What to analyze, and what to measure on.
struct Samples {
  Dataset data, test;
};

Samples LoadSamples(const std::string& data, const std::string& test, const Flags& flags) {
  const Dataset all = Dataset::Load(test, {});
  if (!flags.split) {
    DataOptions options;
    options.samples = 512;
    options.seed = flags.seed;
    return {Dataset::Load(data, options), all};
  }
  std::vector<std::int64_t> even, odd;
  for (std::int64_t i = 0; i < all.size(); ++i) (i % 2 == 0 ? even : odd).push_back(i);
  const Batch first = all.Get(even), second = all.Get(odd);
  return {Dataset::FromTensors(first.inputs, first.labels), Dataset::FromTensors(second.inputs, second.labels)};
}

/// Every test sample's KL to the float network, and whether it is classified right.
struct Outcome {
  std::vector<double> divergences, right;
};

void Append(std::vector<double>& all, const at::Tensor& more) {
  const at::Tensor values = more.to(torch::kDouble).contiguous();
  all.insert(all.end(), values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel());
}

/// Quantizes plans and measures them, each once.
class Laboratory {
 public:
  Laboratory(const Network& network, const Samples& samples, bool activations)
      : network_(network),
        test_(samples.test),
        divergence_(ResolveLoss(network, samples.test).With(Loss::Divergence)),
        calibration_(Calibration::Collect(network, samples.data, activations)) {
    for (std::int64_t begin = 0; begin < test_.size(); begin += kBatch)
      logits_.push_back(network.Forward(BatchFrom(begin).inputs));
  }

  const Outcome& Measure(const Plan& plan) {
    std::string bits;
    for (const LayerPlan& layer : plan.layers) bits += fmt::format("{}/{} ", layer.weight.bits, layer.activation.bits);
    const auto [found, inserted] = known_.try_emplace(bits);
    if (!inserted) return found->second;
    const QuantizedNetwork quantized = QuantizedNetwork::Create(network_, plan, calibration_);
    for (std::size_t i = 0; i < logits_.size(); ++i) {
      const Batch batch = BatchFrom(static_cast<std::int64_t>(i) * kBatch);
      const at::Tensor logits = quantized.Forward(batch.inputs);
      Append(found->second.divergences, SampleLosses(divergence_, logits, logits_[i], batch.labels));
      Append(found->second.right, logits.argmax(1).eq(batch.labels));
    }
    return found->second;
  }

 private:
  static constexpr std::int64_t kBatch = 128;

  Batch BatchFrom(std::int64_t begin) const { return test_.Get(begin, std::min(begin + kBatch, test_.size())); }

  const Network& network_;
  const Dataset& test_;
  Criterion divergence_;
  Calibration calibration_;
  std::vector<at::Tensor> logits_;
  std::map<std::string, Outcome> known_;
};

/// A way to choose plans, and what became of its plan at each size.
struct Contender {
  Measure measure;
  bool shrink = false, joint = false;
  std::vector<Outcome> outcomes = {};

  std::string Name() const {
    return fmt::format("{}{}{}", ToString(measure), shrink ? ", shrunk" : "", joint ? ", joint" : "");
  }
};

std::vector<Contender> ListContenders(const Sensitivity& sensitivity, bool own) {
  std::vector<Contender> contenders;
  for (const Measure measure : AllMeasures()) {
    if (!sensitivity.Has(measure)) continue;
    contenders.push_back({measure});
    if (!IsOfShifts(measure)) continue;
    contenders.push_back({measure, true});
    if (own || !CanBeJoint(measure)) continue;
    contenders.push_back({measure, false, true});
    contenders.push_back({measure, true, true});
  }
  return contenders;
}

Plan BestPlan(const Sensitivity& sensitivity, const Contender& contender, double size, bool activations) {
  ProblemOptions options;
  options.measure = contender.measure;
  options.shrink = contender.shrink;
  options.joint = contender.joint;
  options.budgets = {{"average_bits", size, false}};
  if (activations) options.budgets.push_back({"bops", size * 6 / 1024 * 100, true});
  const Problem problem = MakeProblem(sensitivity, options);
  SearchOptions search;
  search.method = ProvingMethod(problem.joint.has_value());
  search.time_limit_seconds = 20;
  return MakePlan(sensitivity, problem, Search(problem, search), contender.measure);
}

void PrintHead(std::string_view first, std::string_view last) {
  fmt::print("\n{:<28}", first);
  for (const double size : kSizes) fmt::print("{:>24}", fmt::format("{} bits", size));
  fmt::print("{:>12}\n", last);
}

void PrintOutcomes(const Contender& contender) {
  fmt::print("{:<28}", contender.Name());
  std::vector<double> means;
  for (const Outcome& outcome : contender.outcomes) {
    const Estimate divergence = Mean(outcome.divergences), right = Mean(outcome.right);
    means.push_back(divergence.value);
    fmt::print("{:>24}", fmt::format("{:.4f}±{:.4f} ({:.1f}±{:.1f})", divergence.value, divergence.standard_error,
                                     100 * right.value, 100 * right.standard_error));
  }
  fmt::print("{:>12.4f}\n", GeometricMean(means));
  std::fflush(stdout);
}

/// Differences from the default, in their paired standard errors.
void PrintDifferences(const Contender& contender, const Contender& standard) {
  fmt::print("{:<28}", contender.Name());
  double best = 0;
  for (std::size_t i = 0; i < kSizes.size(); ++i) {
    const Estimate difference = PairedDifference(contender.outcomes[i].divergences, standard.outcomes[i].divergences);
    const double errors = difference.standard_error > 0 ? difference.value / difference.standard_error : 0;
    best = std::min(best, errors);
    fmt::print("{:>24}", fmt::format("{:+.4f}±{:.4f} ({:+.1f})", difference.value, difference.standard_error, errors));
  }
  fmt::print("{:>12}\n", best < -1 ? "better" : "");
}

void Compare(const Network& network, const Samples& samples, const Flags& flags) {
  AnalyzeOptions analyze;
  analyze.measures = AllMeasures();
  if (flags.activations) analyze.activation_bits = {4, 6, 8};
  analyze.channel_correction = flags.correction;
  analyze.keep_shifts = true;
  const Sensitivity sensitivity = Analyze(network, samples.data, analyze);
  fmt::print("{} samples to analyze, {} to measure; {}, {}\n", samples.data.size(), samples.test.size(),
             flags.correction ? "channel correction" : "no correction",
             flags.activations ? "activations at 4, 6 or 8 bits within the BOPs of 6-bit ones" : "weights only");

  const at::NoGradGuard no_gradient;
  Laboratory laboratory(network, samples, flags.activations);
  std::vector<Contender> contenders = ListContenders(sensitivity, flags.own);
  PrintHead("KL (accuracy %)", "geo. mean");
  for (Contender& contender : contenders) {
    for (const double size : kSizes)
      contender.outcomes.push_back(laboratory.Measure(BestPlan(sensitivity, contender, size, flags.activations)));
    PrintOutcomes(contender);
  }
  const ProblemOptions defaults;
  for (const Contender& standard : contenders) {
    if (standard.measure != defaults.measure || standard.shrink != defaults.shrink || standard.joint != defaults.joint)
      continue;
    PrintHead("KL less that of the default", "");
    for (const Contender& contender : contenders) PrintDifferences(contender, standard);
    fmt::print(
        "default: {}; ± one paired standard error, in brackets how many; better: by more than one at some size\n",
        standard.Name());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4)
      throw std::invalid_argument("MODEL.pt DATA TEST [--activations] [--no-correction] [--split] [--own] [--seed=N]");
    const Flags flags = ParseFlags({argv + 4, argv + argc});
    const Samples samples = LoadSamples(argv[2], argv[3], flags);
    Compare(Network::Load(argv[1]), samples, flags);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_plan_quality: {}\n", error.what());
    return 2;
  }
  return 0;
}
