#include "shifts/choice_outputs.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "process/memory_limit.h"

namespace bitplan::hessian {

namespace {

/// Of figures, and of shifts where they are kept: as they are collected, and in the tables that are made of them.
std::int64_t KeptBytes(const Network& network, const Dataset& data, std::size_t choices, std::size_t measures,
                       bool shifts) {
  const at::NoGradGuard no_gradient;
  const std::int64_t outputs =
      shifts ? network.Forward(data.Get(0, 1, at::Device(network.device())).inputs).numel() : 0;
  const auto figures = static_cast<std::int64_t>(measures * sizeof(double)),
             of_shift = outputs * static_cast<std::int64_t>(sizeof(float));
  return 2 * data.size() * static_cast<std::int64_t>(choices + 1) * (figures + of_shift);
}

}  // namespace

const Alternatives& ChoiceOutputs::All() {
  if (!all_) all_.emplace(context_.groundwork.choices(), context_.result.layers);
  return *all_;
}

const quantize::SingleChoices& ChoiceOutputs::Fitted() {
  if (fitted_) return *fitted_;
  const std::vector<quantize::SingleChoice>& choices = All().choices;
  quantize::SingleChoicesOptions options{options_.limits, options_.channel_correction, options_.progress};
  if (std::any_of(choices.begin(), choices.end(), [](const auto& choice) { return choice.activation; }))
    options.statistics = context_.groundwork.Statistics();
  fitted_ =
      quantize::SingleChoices::Fit(context_.network, context_.groundwork.Weights(), choices, context_.data, options);
  return *fitted_;
}

const ShiftPasses& ChoiceOutputs::Passes() {
  if (passes_) return *passes_;
  const quantize::SingleChoices& choices = Fitted();
  const Dataset& data = context_.data;
  const std::int64_t kept =
      KeptBytes(context_.network, data, choices.size(), options_.measures.size(), options_.keep_shifts);
  process::CheckOneSampleFits(kept + choices.bytes(), options_.limits.memory_bytes,
                              fmt::format("what is kept of {} choices on {} samples", choices.size(), data.size()));
  const PassLimits left = options_.limits.Beside(kept + choices.bytes());
  passes_ = std::make_unique<ShiftPasses>(context_.network, data, choices,
                                          ShiftPassOptions{options_.delta, left.memory_bytes, options_.progress});
  return *passes_;
}

void ClearTiedInputs(const std::vector<Measure>& measures, std::vector<LayerSensitivity>& layers) {
  for (LayerSensitivity& layer : layers)
    for (Perturbation& choice : layer.activation_choices)
      if (choice.bits < 32 && layer.tied_group >= 0)
        for (const Measure measure : measures) choice.figures[measure] = {};
}

}  // namespace bitplan::hessian
