#include "network/batching.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "network/impl.h"
#include "network/torch_error.h"
#include "output.h"
#include "tuning.h"

namespace bitplan::network {

using torch::jit::Node;

/// Runs of a network on a few samples.
class Batching::Trials {
 public:
  struct Outcome {
    at::Tensor output;              // undefined where the first axis is wrong or nothing came
    bool threw = false;             // nothing came
    at::Tensor shown;               // what came
    std::vector<at::Tensor> parts;  // of an output of several, which are compared one by one
  };

  /// `inputs`: of all samples.
  Trials(const Network::Impl& network, const Program& program, const std::vector<at::Tensor>& inputs)
      : network_(network), program_(program) {
    for (const at::Tensor& input : inputs) first_.push_back(input.narrow(0, 0, 1));
    const std::int64_t samples = inputs.front().size(0);
    for (std::int64_t other = 1; other < samples && other_.empty(); ++other) {
      const bool differs = std::any_of(inputs.begin(), inputs.end(), [&](const at::Tensor& input) {
        return !at::equal(input.narrow(0, 0, 1), input.narrow(0, other, 1));
      });
      if (!differs) continue;
      for (const at::Tensor& input : inputs) other_.push_back(input.narrow(0, other, 1));
    }
  }

  bool HasOther() const { return !other_.empty(); }

  /// The first sample, with `size` − 1 copies of it.
  Outcome OfOne(std::int64_t size) const { return Run(Repeated(size, first_)); }

  /// The first sample, with `size` − 1 copies of another one where there is one.
  Outcome OfTwo(std::int64_t size) const { return Run(Repeated(size, HasOther() ? other_ : first_)); }

  /// Whether the first sample's output depends on the others. `two`: what OfTwo gave.
  bool Mixes(std::int64_t size, const Outcome& two) const {
    if (!HasOther() || size == 1) return false;
    const Outcome one = OfOne(size);
    if (!one.output.defined() || Agree(one, two)) return false;
    const Outcome again = OfOne(size);  // does it draw random numbers?
    return again.output.defined() && Agree(one, again);
  }

  /// Taps at which the first sample's rows are not those of a batch's first share.
  std::shared_ptr<const std::set<std::int64_t>> MixedTaps(std::int64_t size) const {
    auto mixed = std::make_shared<std::set<std::int64_t>>();
    const auto one = Visits(Repeated(size, first_)), two = Visits(Repeated(size, HasOther() ? other_ : first_));
    for (const auto& [tap, values] : one) {
      const auto others = two.find(tap);
      bool apart = others != two.end() && others->second.size() == values.size();
      for (std::size_t i = 0; apart && i < values.size(); ++i) {
        const at::Tensor &a = values[i], &b = others->second[i];
        apart = a.sizes() == b.sizes() && a.dim() > 0 && a.size(0) % size == 0 &&
                at::allclose(a.narrow(0, 0, a.size(0) / size).to(at::kFloat),
                             b.narrow(0, 0, a.size(0) / size).to(at::kFloat), tuning::kSameOutput, tuning::kSameOutput,
                             true);
      }
      if (!apart) mixed->insert(tap);
    }
    return mixed;
  }

 private:
  std::vector<at::Tensor> Repeated(std::int64_t size, const std::vector<at::Tensor>& others) const {
    std::vector<at::Tensor> inputs;
    for (std::size_t i = 0; i < first_.size(); ++i) {
      std::vector<at::Tensor> rows(static_cast<std::size_t>(size), others[i]);
      rows.front() = first_[i];
      inputs.push_back(at::cat(rows));
    }
    return inputs;
  }

  c10::IValue Raw(const std::vector<at::Tensor>& inputs, const c10::intrusive_ptr<ProbeHandle>& probe) const {
    std::vector<at::Tensor> parameters;
    for (const Parameter& parameter : network_.lowered.parameters) parameters.push_back(parameter.value);
    return network_.Run(program_, {}, inputs, parameters, probe).front().back();
  }

  Outcome Run(const std::vector<at::Tensor>& inputs) const {
    Outcome outcome;
    try {
      const c10::IValue output = Raw(inputs, network_.Handle(nullptr));
      outcome.shown = network_.TakesSeveral() ? SideBySide(output, network_.output, inputs.front().size(0))
                                              : SelectOutput(output, network_.output);
      outcome.parts =
          network_.TakesSeveral() ? FloatOutputs(output, network_.output) : std::vector<at::Tensor>{outcome.shown};
    } catch (const Error&) {
      outcome.threw = true;
      return outcome;
    }
    if (outcome.shown.dim() > 0 && outcome.shown.size(0) == inputs.front().size(0)) outcome.output = outcome.shown;
    return outcome;
  }

  std::map<std::int64_t, std::vector<at::Tensor>> Visits(const std::vector<at::Tensor>& inputs) const {
    std::map<std::int64_t, std::vector<at::Tensor>> visits;
    auto handle = c10::make_intrusive<ProbeHandle>();
    handle->visit = [&](std::int64_t tap, const at::Tensor& value) {
      visits[tap].push_back(value.clone());
      return value;
    };
    Raw(inputs, handle);
    return visits;
  }

  /// Whether values are rounded to a grid, which makes a step of the least difference.
  bool Rounds() const {
    const std::vector<Node*> nodes = AllNodes(network_.lowered.graph->block());
    return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) {
      const std::string op = OperatorName(node);
      return op.find("quantize") != std::string::npos || op.find("dynamic") != std::string::npos || op == "round";
    });
  }

  bool Agree(const Outcome& a, const Outcome& b) const {
    if (a.parts.size() != b.parts.size()) return true;
    for (std::size_t i = 0; i < a.parts.size(); ++i)
      if (!Agree(a.parts[i], b.parts[i])) return false;
    return true;
  }

  /// Whether two outputs are the same for the first sample.
  bool Agree(const at::Tensor& a, const at::Tensor& b) const {
    if (a.sizes() != b.sizes()) return true;  // cut to the longest of a batch: not to be compared
    const at::Tensor x = at::nan_to_num(a[0].to(at::kDouble)), y = at::nan_to_num(b[0].to(at::kDouble));
    if (x.numel() == 0) return true;
    const auto largest = [](const at::Tensor& values) { return values.abs().max().item<double>(); };
    const double scale =
        std::max({largest(at::nan_to_num(a.to(at::kDouble))), largest(at::nan_to_num(b.to(at::kDouble)))});
    return largest(x - y) <= (Rounds() ? tuning::kSameRoundedOutput : tuning::kSameOutput) * scale;
  }

  const Network::Impl& network_;
  const Program& program_;
  std::vector<at::Tensor> first_, other_;  // [1, …]
};

namespace {

/// How many samples the inputs hold; nothing where they do not say.
std::optional<std::int64_t> SamplesOf(const std::vector<at::Tensor>& inputs) {
  const auto has_axis = [](const at::Tensor& input) { return input.defined() && input.dim() > 0; };
  if (inputs.empty() || !std::all_of(inputs.begin(), inputs.end(), has_axis)) return std::nullopt;
  const std::int64_t samples = inputs.front().size(0);
  const bool agree =
      std::all_of(inputs.begin(), inputs.end(), [&](const at::Tensor& input) { return input.size(0) == samples; });
  return agree ? std::optional(samples) : std::nullopt;
}

}  // namespace

Batches Batching::Divide(const Network::Impl& network, const std::vector<at::Tensor>& inputs) const {
  const auto samples = SamplesOf(inputs);
  if (!samples_first_ || !samples || inputs.size() != network.lowered.arguments.size()) return {};
  if (*samples == 0) return {0, 0, nullptr};
  const std::lock_guard lock(mutex_);
  const at::NoGradGuard no_grad;
  const Rule rule = Find(network, inputs);
  const std::int64_t whole = std::max(*samples, rule.least);
  return {*samples, rule.fixed > 0 ? rule.fixed : whole, rule.mixed_taps};
}

/// What is found of samples that are all the same is not kept: it says nothing of mixing.
Batching::Rule Batching::Find(const Network::Impl& network, const std::vector<at::Tensor>& inputs) const {
  const bool single = inputs.front().size(0) == 1;
  if (rule_ && (!single || rule_->fixed > 0 || rule_->least > 1)) return *rule_;
  if (single && takes_one_ == true) return {};
  const Trials trials(network, program_, inputs);
  const Trials::Outcome one = single ? trials.OfOne(1) : Trials::Outcome();
  if (single) takes_one_ = one.output.defined();
  if (single && *takes_one_) return {};
  const auto keep = [&](const Rule& rule) {
    if (trials.HasOther() || rule_) rule_ = rule;
    return rule;
  };
  Trials::Outcome two = trials.OfTwo(2);
  // Without samples that differ a first axis of two tells nothing: it may be of classes, or of directions.
  if (two.output.defined() && !trials.HasOther() && !trials.OfTwo(3).output.defined() && !baked_.sizes.contains(2))
    two.output = at::Tensor();
  const bool mixes = two.output.defined() && trials.Mixes(2, two);
  if (two.output.defined() && !mixes) {
    const bool only_two = !single && baked_.sizes.contains(2) && !trials.OfTwo(3).output.defined();
    return keep({only_two ? 2 : 0, single ? 2 : 1, single || only_two ? trials.MixedTaps(2) : nullptr});
  }
  if (const auto rule = FindFixed(trials, two.threw, two.output.defined())) return keep(*rule);
  if (mixes)
    throw RefusedNetwork(
        "the network mixes the samples of a batch: what it gives for one of them changes with the others, as where a "
        "mean or a batch norm goes over the batch, or where the first axis does not count samples; every sample must "
        "be "
        "computed by itself");
  if (single ? one.threw : two.threw) return {};  // the run itself says why
  CheckSampleAxis(single ? one.shown : two.shown, single ? 1 : 2);
  return {};
}

/// A network that was made for a number of samples may keep them apart in batches of that number alone.
std::optional<Batching::Rule> Batching::FindFixed(const Trials& trials, bool threw, bool takes_two) const {
  std::vector<std::int64_t> sizes;
  if (baked_.traced) {
    if (!takes_two || baked_.HasSizeOf(*baked_.traced)) sizes.push_back(*baked_.traced);
  } else {
    if (threw) sizes.push_back(1);
    for (const std::int64_t size : baked_.sizes)
      if (size <= tuning::kMostFixedBatch) sizes.push_back(size);
  }
  for (const std::int64_t size : sizes) {
    const Trials::Outcome outcome = trials.OfTwo(size);
    if (!outcome.output.defined() || trials.Mixes(size, outcome)) continue;
    return Rule{size, size, size > 1 ? trials.MixedTaps(size) : nullptr};
  }
  return std::nullopt;
}

}  // namespace bitplan::network
